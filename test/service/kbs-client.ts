/*
 * A guest's KBS client, written from protocols.md §1 alone: nothing of ours is imported, so that a mistake of ours is not made
 * twice. It re-serialises the protected header with sorted members before it opens a JWE, as the real client does.
 */
import {
  constants,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  privateDecrypt,
} from 'node:crypto'

export type KeyKind = 'P-256' | 'P-521' | 'RSA'

export interface GuestKey {
  readonly kind: KeyKind
  readonly privateKey: KeyObject
  /** as it stands in `tee-pubkey` */
  readonly jwk: Readonly<Record<string, string>>
}

export function guestKey(kind: KeyKind): GuestKey {
  if (kind === 'RSA') {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    return { kind, privateKey, jwk: { kty: 'RSA', alg: 'RSA-OAEP-256', n, e } }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: kind })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { kind, privateKey, jwk: { kty: 'EC', crv: kind, alg: 'ECDH-ES+A256KW', x, y } }
}

/** RFC 8785 for what a client hashes: objects, arrays and text. */
export function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jcs(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

/** Fits a digest to the 64 bytes of report data. */
function fitted(digest: Buffer): Uint8Array {
  const out = new Uint8Array(64)
  out.set(digest.subarray(0, 64))
  return out
}

export interface Attester {
  /** `additional_evidence` for this device report data; empty where there are no devices */
  devices(reportData: Uint8Array): Promise<string>
  /** `primary_evidence` as JSON for these 64 bytes */
  cpu(reportData: Uint8Array): Promise<unknown>
}

export interface Answered {
  readonly status: number
  readonly body: unknown
}

export class KbsClient {
  readonly #base: string
  readonly #key: GuestKey
  readonly #attester: Attester
  readonly version: string
  readonly tee: string
  /** requests that were made, by path */
  readonly requests: string[] = []
  /** of the session, as it is sent */
  cookie = ''
  #token = ''

  constructor(base: string, about: { key: GuestKey; attester: Attester; tee: string; version?: string }) {
    this.#base = base
    this.#key = about.key
    this.#attester = about.attester
    this.tee = about.tee
    this.version = about.version ?? '0.4.0'
  }

  get token(): string {
    return this.#token
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Answered> {
    this.requests.push(path)
    const headers = { 'content-type': 'application/json', ...(this.cookie === '' ? {} : { cookie: this.cookie }) }
    const answer = await fetch(`${this.#base}/kbs/v0${path}`, { headers, ...init })
    const set = answer.headers.get('set-cookie')
    if (set !== null) this.cookie = set.split(';')[0] ?? ''
    return { status: answer.status, body: await answer.json() }
  }

  auth(): Promise<Answered> {
    const hashes = { 'supported-hash-algorithms': ['sha256', 'sha384', 'sha512', 'sm3'] }
    return this.#ask('/auth', {
      method: 'POST',
      body: JSON.stringify({ version: this.version, tee: this.tee, 'extra-params': hashes }),
    })
  }

  async attest(nonce: string, change: (body: Record<string, unknown>) => unknown = (body) => body): Promise<Answered> {
    const runtime = { nonce, 'tee-pubkey': this.#key.jwk }
    const sha384 = (value: unknown) => fitted(createHash('sha384').update(jcs(value)).digest())
    const isOld = !this.version.startsWith('0.4')
    const additional = isOld ? '' : await this.#attester.devices(sha384(runtime))
    const committed = isOld ? runtime : { ...runtime, 'additional-evidence': additional }
    const primary = await this.#attester.cpu(sha384(committed))
    const body = isOld
      ? { 'tee-pubkey': this.#key.jwk, 'tee-evidence': primary }
      : {
          'init-data': null,
          'runtime-data': runtime,
          'tee-evidence': { primary_evidence: primary, additional_evidence: additional },
        }
    const answer = await this.#ask('/attest', { method: 'POST', body: JSON.stringify(change(body)) })
    const { token } = answer.body as { token?: string }
    if (token !== undefined) this.#token = token
    return answer
  }

  /** Authenticates and attests, as one handshake. */
  async handshake(): Promise<Answered> {
    const { body, status } = await this.auth()
    const { nonce } = body as { nonce?: string }
    return status === 200 && nonce !== undefined ? this.attest(nonce) : { status, body }
  }

  resource(path: string): Promise<Answered> {
    return this.#ask(`/resource/${path}`)
  }

  /** With the token in the place of the cookie. */
  resourceByToken(path: string): Promise<Answered> {
    return this.#ask(`/resource/${path}`, { headers: { authorization: `Bearer ${this.#token}` } })
  }

  /**
   * What a guest does for one key: attests where it has to, asks, and on 401 attests anew, three times at most.
   * @returns the plain bytes, or the answer that ended it
   */
  async fetch(path: string): Promise<Buffer | Answered> {
    for (let tries = 0; ; tries++) {
      if (this.#token === '') await this.handshake()
      const answer = await this.resource(path)
      if (answer.status === 200) return this.open(answer.body as Jwe)
      if (answer.status !== 401 || tries === 2) return answer
      this.#token = ''
    }
  }

  open(jwe: Jwe): Buffer {
    return openJwe(jwe, this.#key)
  }
}

export interface Jwe {
  readonly protected: string
  readonly encrypted_key: string
  readonly iv: string
  readonly ciphertext: string
  readonly tag: string
}

function openJwe(jwe: Jwe, key: GuestKey): Buffer {
  const header = JSON.parse(Buffer.from(jwe.protected, 'base64url').toString()) as Record<string, unknown>
  const { alg, enc, ...rest } = header
  // serde writes the named members first and the others in the order of a sorted map.
  const others = jcs(rest).slice(1, -1)
  const again = `{"alg":${JSON.stringify(alg)},"enc":${JSON.stringify(enc)}${others === '' ? '' : `,${others}`}}`
  const aad = Buffer.from(again).toString('base64url')
  const wrapped = Buffer.from(jwe.encrypted_key, 'base64url')
  const cek = alg === 'RSA-OAEP-256' ? unwrapRsa(wrapped, key) : unwrapEc(wrapped, String(alg), header.epk, key)
  const decipher = createDecipheriv('aes-256-gcm', cek, Buffer.from(jwe.iv, 'base64url'))
  decipher.setAAD(Buffer.from(aad)).setAuthTag(Buffer.from(jwe.tag, 'base64url'))
  return Buffer.concat([decipher.update(Buffer.from(jwe.ciphertext, 'base64url')), decipher.final()])
}

const unwrapRsa = (wrapped: Buffer, { privateKey }: GuestKey): Buffer =>
  privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, wrapped)

function unwrapEc(wrapped: Buffer, alg: string, epk: unknown, { privateKey }: GuestKey): Buffer {
  const publicKey = createPublicKey({ key: epk as JsonWebKey, format: 'jwk' })
  const z = diffieHellman({ privateKey, publicKey })
  const u32 = (n: number) => {
    const out = Buffer.alloc(4)
    out.writeUInt32BE(n)
    return out
  }
  const info = [u32(alg.length), Buffer.from(alg), u32(0), u32(0), u32(256)]
  const kek = createHash('sha256')
    .update(Buffer.concat([u32(1), z, ...info]))
    .digest()
  const unwrap = createDecipheriv('id-aes256-wrap', kek, Buffer.from('a6a6a6a6a6a6a6a6', 'hex'))
  return Buffer.concat([unwrap.update(wrapped), unwrap.final()])
}
