import 'reflect-metadata'
import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import forge from 'node-forge'
import type { IntelMachine } from '../../src/testing/intel/index.ts'

/*
 * A second reading of quotes and collateral, by node:crypto, node-forge and @peculiar/x509, that shares nothing with the
 * kit or with the verifier. It knows no codes: it only says which of a list of things hold.
 */

export interface WalkedQuote {
  readonly version: number
  readonly keyType: number
  readonly teeType: number
  readonly vendor: string
  readonly bodyType: number | undefined
  /** Where the body begins, and the length of the authentication data. */
  readonly offsets: { readonly body: number; readonly authLength: number; readonly end: number }
  readonly signed: Buffer
  readonly body: Buffer
  readonly signature: Buffer
  readonly key: Buffer
  readonly qeReport: Buffer
  readonly qeSignature: Buffer
  readonly qeAuth: Buffer
  readonly certType: number
  readonly cert: Buffer
  readonly rest: Buffer
}

const VENDOR = '939a7233f79c4ca9940a0db3957f0607'

/** Reads a quote of version 3, 4 or 5 as its own lengths say; undefined where they do not fit. */
export function walkQuote(bytes: Uint8Array): WalkedQuote | undefined {
  try {
    return walk(Buffer.from(bytes))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

class Cursor {
  #at = 0
  readonly #bytes: Buffer
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  take(size: number): Buffer {
    if (this.#at + size > this.#bytes.length) throw new RangeError('cut short')
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }
  u16 = (): number => this.take(2).readUInt16LE()
  u32 = (): number => this.take(4).readUInt32LE()
  get at(): number {
    return this.#at
  }
  rest = (): Buffer => this.#bytes.subarray(this.#at)
  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('leftover')
  }
}

const BODY_SIZE: Readonly<Record<number, number>> = { 1: 384, 2: 584, 3: 648 }

function walk(bytes: Buffer): WalkedQuote {
  const cursor = new Cursor(bytes)
  const header = cursor.take(48)
  const [version, keyType, teeType] = [header.readUInt16LE(0), header.readUInt16LE(2), header.readUInt32LE(4)]
  if (![3, 4, 5].includes(version) || (version === 3 && teeType !== 0)) throw new RangeError('version')
  if (teeType !== 0 && teeType !== 0x81) throw new RangeError('TEE type')
  let bodyType: number | undefined
  let size = teeType === 0 ? 384 : 584
  if (version === 5) {
    bodyType = cursor.u16()
    if (cursor.u32() !== BODY_SIZE[bodyType] || (teeType === 0) !== (bodyType === 1)) throw new RangeError('body')
    size = BODY_SIZE[bodyType] ?? 0
  }
  const bodyAt = cursor.at
  const body = cursor.take(size)
  const authLength = cursor.at
  const signed = bytes.subarray(0, authLength)
  const auth = new Cursor(cursor.take(cursor.u32()))
  const end = cursor.at
  const signature = auth.take(64)
  const key = auth.take(64)
  let inner = auth
  if (version !== 3) {
    if (auth.u16() !== 6) throw new RangeError('outer type')
    inner = new Cursor(auth.take(auth.u32()))
    auth.end()
  }
  const qeReport = inner.take(384)
  const qeSignature = inner.take(64)
  const qeAuth = inner.take(inner.u16())
  const certType = inner.u16()
  const cert = inner.take(inner.u32())
  inner.end()
  return {
    version,
    keyType,
    teeType,
    vendor: header.subarray(12, 28).toString('hex'),
    bodyType,
    offsets: { body: bodyAt, authLength, end },
    signed,
    body,
    signature,
    key,
    qeReport,
    qeSignature,
    qeAuth,
    certType,
    cert,
    rest: cursor.rest(),
  }
}

/** Certificates of PEM text that holds nothing else but, perhaps, one NUL at its end; undefined for any other text. */
export function certificates(text: string): readonly X509Certificate[] | undefined {
  const blocks =
    text.replace(/\0$/, '').match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*/g) ?? []
  if (blocks.length === 0 || blocks.join('') !== text.replace(/\0$/, '')) return undefined
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

const p1363 = (data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean =>
  signature.length === 64 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)

/** A P-256 key from x ‖ y; undefined where that is no point. */
export function pointKey(raw: Uint8Array): KeyObject | undefined {
  const [x, y] = [raw.subarray(0, 32), raw.subarray(32)].map((half) => Buffer.from(half).toString('base64url'))
  if (x === undefined || y === undefined) return undefined
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** The tree of a DER value: tags, identifiers in full and, for the rest, nothing but the length. */
export function shapeOf(der: Uint8Array): unknown {
  const shape = (node: forge.asn1.Asn1): unknown => {
    if (Array.isArray(node.value)) return [node.type, ...node.value.map(shape)]
    if (node.type === forge.asn1.Type.OID) return forge.asn1.derToOid(node.value)
    return `${node.type}`
  }
  return shape(forge.asn1.fromDer(Buffer.from(der).toString('latin1')))
}

/** Values of the SGX extension by their identifiers, in hexadecimal; undefined where it is not there once and well formed. */
export function sgxExtension(certificate: X509Certificate): ReadonlyMap<string, string> | undefined {
  const all = extensionsOf(new Uint8Array(certificate.raw)).filter(([type]) => type === SGX)
  const [found] = all
  if (found === undefined || all.length !== 1) return undefined
  const values = new Map<string, string>()
  const read = (node: forge.asn1.Asn1): boolean => {
    if (!Array.isArray(node.value)) return false
    return node.value.every((entry) => {
      if (!Array.isArray(entry.value)) return false
      const [id, value, ...more] = entry.value
      if (id === undefined || value === undefined || more.length > 0 || Array.isArray(id.value)) return false
      const name = forge.asn1.derToOid(id.value).replace(`${SGX}.`, '')
      if (values.has(name)) return false
      values.set(
        name,
        Array.isArray(value.value) ? '' : `${value.type}:${Buffer.from(value.value, 'latin1').toString('hex')}`,
      )
      return !Array.isArray(value.value) || read(value)
    })
  }
  try {
    return read(forge.asn1.fromDer(Buffer.from(found[2], 'hex').toString('latin1'))) ? values : undefined
  } catch {
    return undefined
  }
}
const SGX = '1.2.840.113741.1.13.1'

const MEMBERS: readonly (readonly [string, RegExp])[] = [
  ['1', /^4:.{32}$/],
  ['2', /^$/],
  ...Array.from({ length: 16 }, (_, i) => [`2.${i + 1}`, /^2:(00)?..$/] as const),
  ['2.17', /^2:(00)?(..){1,2}$/],
  ['2.18', /^4:.{32}$/],
  ['3', /^4:.{4}$/],
  ['4', /^4:.{12}$/],
  ['5', /^10:0[012]$/],
]
const OPTIONAL: readonly (readonly [string, RegExp])[] = [
  ['6', /^4:.{32}$/],
  ['7', /^$/],
  ...['7.1', '7.2', '7.3'].map((id) => [id, /^1:(00|ff)$/] as const),
]

export function sgxExtensionHolds(values: ReadonlyMap<string, string> | undefined): boolean {
  if (values === undefined) return false
  const forms = new Map([...MEMBERS, ...OPTIONAL])
  return (
    MEMBERS.every(([id]) => values.has(id)) &&
    [...values].every(([id, value]) => forms.get(id)?.test(value) === true) &&
    [...values].every(([id, value]) => !/^2\.([1-9]|1[0-7])$/.test(id) || !/^2:[89a-f]/.test(value))
  )
}

/** What a machine's evidence and collateral may be asked; each is looked at by itself. */
export interface Holds {
  readonly decodes: boolean
  readonly keyType: boolean
  readonly vendor: boolean
  readonly padding: boolean
  readonly certType: boolean
  readonly quoteSignature: boolean
  readonly qeSignature: boolean
  readonly qeBinding: boolean
  readonly qeTail: boolean
  readonly chain: boolean
  readonly chainTime: boolean
  readonly chainUse: boolean
  readonly sgxExtension: boolean
  readonly tcbInfoSigner: boolean
  readonly tcbInfoSignature: boolean
  readonly tcbInfoForm: boolean
  readonly tcbInfoTime: boolean
  readonly tcbInfoMatch: boolean
  readonly qeIdentitySigner: boolean
  readonly qeIdentitySignature: boolean
  readonly qeIdentityForm: boolean
  readonly qeIdentityTime: boolean
  readonly qeIdentityMatch: boolean
  readonly rootCrl: boolean
  readonly rootCrlTime: boolean
  readonly pckCrl: boolean
  readonly pckCrlTime: boolean
  readonly notRevoked: boolean
  readonly platform: boolean
  readonly module: boolean
  readonly qeLevel: boolean
  readonly body: boolean
}

const inTime = (at: number, from: string, to: string): boolean => Date.parse(from) <= at && at <= Date.parse(to)

/** Whether `chain` leads from its first to `root`, whose certificate is its last. */
function leadsTo(chain: readonly X509Certificate[], length: number, root: X509Certificate): boolean {
  return (
    chain.length === length &&
    chain.at(-1)?.raw.equals(root.raw) === true &&
    chain.every((certificate, i) => {
      const issuer = chain[i + 1] ?? root
      return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey)
    })
  )
}

const usable = (certificate: X509Certificate, at: number): boolean =>
  inTime(at, certificate.validFrom, certificate.validTo)

type Extensions = readonly (readonly [type: string, critical: boolean, value: string])[]

/** The machines of a test share most of their certificates. */
const known = new Map<string, Extensions>()

/** Extensions of a certificate by identifier: critical or not, and value in hexadecimal. */
export function extensionsOf(der: Uint8Array): Extensions {
  const name = Buffer.from(der).toString('base64')
  const found = known.get(name)
  if (found !== undefined) return found
  const { extensions } = new x509.X509Certificate(Uint8Array.from(der))
  const read = extensions.map((e) => [e.type, e.critical, Buffer.from(e.value).toString('hex')] as const)
  known.set(name, read)
  return read
}

const KNOWN = ['2.5.29.35', '2.5.29.31', '2.5.29.14', '2.5.29.15', '2.5.29.19']
const KEY_USAGE = { leaf: '030206c0', authority: '03020106' } as const

/** Extensions as Intel has them: each known one once, key usage and basic constraints of the kind. */
function usesHold(
  certificate: X509Certificate,
  kind: 'leaf' | 'authority',
  commonName: string,
  constraints: string,
): boolean {
  const found = extensionsOf(new Uint8Array(certificate.raw))
  const value = (id: string) => found.find(([type]) => type === id)?.[2]
  return (
    certificate.subject.includes(`CN=${commonName}`) &&
    KNOWN.every((id) => found.filter(([type]) => type === id).length === 1) &&
    found.every(([id, critical]) => KNOWN.includes(id) || (id === SGX && !critical)) &&
    value('2.5.29.15') === KEY_USAGE[kind] &&
    value('2.5.29.19') === constraints &&
    certificate.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  )
}

const ECDSA_SHA256 = '06082a8648ce3d040302'

interface List {
  readonly crl: x509.X509Crl
  readonly raw: Buffer
}

function listOf(der: Uint8Array): List | undefined {
  try {
    const raw = Buffer.from(der)
    forge.asn1.fromDer(raw.toString('latin1'), { strict: true, parseAllBytes: true } as never)
    return { crl: new x509.X509Crl(Uint8Array.from(der)), raw }
  } catch {
    return undefined
  }
}

const byteString = (node: forge.asn1.Asn1 | undefined): Buffer =>
  Buffer.from(typeof node?.value === 'string' ? node.value : '', 'latin1')

/** Issuer, signature, version and extensions of a list. */
function listHolds(list: List | undefined, issuer: X509Certificate): boolean {
  if (list === undefined) return false
  const tree = forge.asn1.fromDer(list.raw.toString('latin1'), { strict: true, decodeBitStrings: false } as never)
  const [tbs, , signature] = tree.value as forge.asn1.Asn1[]
  if (tbs === undefined || !Array.isArray(tbs.value)) return false
  const body = Buffer.from(forge.asn1.toDer(tbs).getBytes(), 'latin1')
  const signed = verify('sha256', body, issuer.publicKey, byteString(signature).subarray(1))
  const extensions = list.crl.extensions.map(({ type }) => type).join()
  return signed && list.crl.issuer === oneLine(issuer.subject) && extensions === '2.5.29.20,2.5.29.35'
}

/** Node writes a name from its end, one attribute a line. */
const oneLine = (name: string): string => name.split('\n').join(', ')

const listInTime = (list: List | undefined, at: number): boolean =>
  list?.crl.nextUpdate !== undefined && list.crl.thisUpdate.getTime() <= at && at <= list.crl.nextUpdate.getTime()

type Doc = Record<string, unknown>
const parsed = (text: string): Doc | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Doc) : undefined
  } catch {
    return undefined
  }
}

const STATUS =
  /^(UpToDate|SWHardeningNeeded|ConfigurationNeeded|ConfigurationAndSWHardeningNeeded|OutOfDate|OutOfDateConfigurationNeeded|Revoked)$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const isSvn = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
const list = (value: unknown): readonly Doc[] => (Array.isArray(value) ? (value as Doc[]) : [])
const record = (value: unknown): Doc => (typeof value === 'object' && value !== null ? (value as Doc) : {})

const labelled = (level: Doc): boolean =>
  STATUS.test(String(level.tcbStatus)) &&
  INSTANT.test(String(level.tcbDate)) &&
  (level.advisoryIDs === undefined || Array.isArray(level.advisoryIDs))

const svnLevelsHold = (levels: unknown): boolean =>
  list(levels).length > 0 && list(levels).every((l) => labelled(l) && isSvn(record(l.tcb).isvsvn, 65_535))

const componentsHold = (value: unknown): boolean =>
  list(value).length === 16 && list(value).every(({ svn }) => isSvn(svn, 255))

function sgxSvns(tcb: Doc): readonly unknown[] {
  if (tcb.sgxtcbcomponents !== undefined) return list(tcb.sgxtcbcomponents).map(({ svn }) => svn)
  return Array.from({ length: 16 }, (_, i) => tcb[`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`])
}

function tcbInfoHolds(doc: Doc | undefined, text: string): boolean {
  if (doc === undefined || JSON.stringify(doc) !== text) return false
  const tdx = doc.id === 'TDX'
  const levels = list(doc.tcbLevels)
  const ids = list(doc.tdxModuleIdentities).map(({ id }) => id)
  return (
    (doc.version === 3 ? ['SGX', 'TDX'].includes(String(doc.id)) : doc.version === 2 && doc.id === undefined) &&
    INSTANT.test(String(doc.issueDate)) &&
    INSTANT.test(String(doc.nextUpdate)) &&
    /^[0-9A-F]{12}$/.test(String(doc.fmspc)) &&
    /^[0-9A-F]{4}$/.test(String(doc.pceId)) &&
    doc.tcbType === 0 &&
    isSvn(doc.tcbEvaluationDataNumber, 65_535) &&
    levels.length > 0 &&
    levels.every((level) => {
      const tcb = record(level.tcb)
      return (
        labelled(level) &&
        isSvn(tcb.pcesvn, 65_535) &&
        sgxSvns(tcb).length === 16 &&
        sgxSvns(tcb).every((svn) => isSvn(svn, 255)) &&
        componentsHold(tcb.tdxtcbcomponents) === tdx
      )
    }) &&
    (doc.tdxModule !== undefined) === tdx &&
    new Set(ids).size === ids.length &&
    list(doc.tdxModuleIdentities).every(({ tcbLevels }) => svnLevelsHold(tcbLevels))
  )
}

function qeIdentityHolds(doc: Doc | undefined, text: string): boolean {
  const digits = (name: string, count: number) => new RegExp(`^[0-9A-F]{${count}}$`).test(String(doc?.[name]))
  return (
    doc !== undefined &&
    JSON.stringify(doc) === text &&
    doc.version === 2 &&
    ['QE', 'TD_QE'].includes(String(doc.id)) &&
    INSTANT.test(String(doc.issueDate)) &&
    INSTANT.test(String(doc.nextUpdate)) &&
    isSvn(doc.tcbEvaluationDataNumber, 65_535) &&
    digits('miscselect', 8) &&
    digits('miscselectMask', 8) &&
    digits('attributes', 32) &&
    digits('attributesMask', 32) &&
    digits('mrsigner', 64) &&
    isSvn(doc.isvprodid, 65_535) &&
    svnLevelsHold(doc.tcbLevels)
  )
}

const masked = (value: Buffer, mask: string, wanted: string): boolean => {
  const [m, w] = [Buffer.from(mask, 'hex'), Buffer.from(wanted, 'hex')]
  return m.length === value.length && value.every((byte, i) => (byte & (m[i] ?? 0)) === w[i])
}

const atLeast = (actual: readonly number[], wanted: readonly unknown[], from = 0): boolean =>
  wanted.every((svn, i) => i < from || (actual[i] ?? 0) >= Number(svn))

interface Judged {
  readonly walked: WalkedQuote
  readonly tcbInfo: Doc
  readonly sgx: ReadonlyMap<string, string>
}

const hexNumber = (value: string | undefined): number => Number.parseInt((value ?? '').split(':')[1] ?? '', 16)

/** The status of the platform's level (intel-dcap.md §9); undefined where there is none. */
export function platformStatus({ walked, tcbInfo, sgx }: Judged): unknown {
  const components = Array.from({ length: 16 }, (_, i) => hexNumber(sgx.get(`2.${i + 1}`)))
  const tdx = walked.teeType === 0x81 ? [...walked.body.subarray(0, 16)] : []
  const levels = [...list(tcbInfo.tcbLevels)].sort((a, b) => -order(a).localeCompare(order(b)))
  return levels.find(({ tcb: of }) => {
    const tcb = record(of)
    const wanted = list(tcb.tdxtcbcomponents).map(({ svn }) => svn)
    return (
      atLeast(components, sgxSvns(tcb)) &&
      hexNumber(sgx.get('2.17')) >= Number(tcb.pcesvn) &&
      atLeast(tdx, walked.teeType === 0x81 ? wanted : [], (tdx[1] ?? 0) > 0 ? 2 : 0)
    )
  })?.tcbStatus
}

function order({ tcb: of }: Doc): string {
  const tcb = record(of)
  const all = [...sgxSvns(tcb), tcb.pcesvn, ...list(tcb.tdxtcbcomponents).map(({ svn }) => svn)]
  return all.map((n) => String(n).padStart(6, '0')).join()
}

const svnStatus = (levels: unknown, isvSvn: number): unknown =>
  list(levels).find(({ tcb }) => isvSvn >= Number(record(tcb).isvsvn))?.tcbStatus

/** The status of the TDX module's level; UpToDate where there is no module to ask about. */
export function moduleStatus({ walked: { body }, tcbInfo }: Pick<Judged, 'walked' | 'tcbInfo'>): unknown {
  const [isvSvn = 0, major = 0] = body
  const name = `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`
  const identity = major === 0 ? tcbInfo.tdxModule : list(tcbInfo.tdxModuleIdentities).find(({ id }) => id === name)
  const { mrsigner, attributes, attributesMask, tcbLevels } = record(identity)
  const fits =
    body.subarray(64, 112).toString('hex').toUpperCase() === mrsigner &&
    masked(body.subarray(112, 120), String(attributesMask), String(attributes)) &&
    body.subarray(112, 120).every((byte) => byte === 0)
  if (!fits) return undefined
  return major === 0 ? 'UpToDate' : svnStatus(tcbLevels, isvSvn)
}

/** Looks at everything, each by itself. */
export function holdsOf(machine: IntelMachine<object>): Holds {
  const at = Date.parse(machine.at)
  const root = new X509Certificate(machine.trustedRoot)
  const walked = walkQuote(machine.quote)
  const c = machine.collateral
  const chain = (walked && certificates(walked.cert.toString('latin1'))) ?? []
  const [leaf, issuer] = chain
  const extension = leaf && sgxExtension(leaf)
  const key = walked && pointKey(walked.key)
  const [tcbInfo, qeIdentity] = [parsed(c.tcbInfo), parsed(c.qeIdentity)]
  const [rootCrl, pckCrl] = [listOf(c.rootCaCrl), listOf(c.pckCrl)]
  const crlIssuer = certificates(c.pckCrlIssuerChain)?.[0]
  const signers = [certificates(c.tcbInfoIssuerChain) ?? [], certificates(c.qeIdentityIssuerChain) ?? []]
  const [tcbSigner, qeSigner] = signers.map(([signer]) => signer)
  const signerHolds = (signer: readonly X509Certificate[]): boolean =>
    leadsTo(signer, 2, root) &&
    signer.every((one) => usable(one, at)) &&
    signer[0] !== undefined &&
    usesHold(signer[0], 'leaf', 'Intel SGX TCB Signing', '3000')
  const documentSigned = (text: string, hex: string, signer: X509Certificate | undefined): boolean =>
    signer !== undefined && p1363(Buffer.from(text), signer.publicKey, Buffer.from(hex, 'hex'))
  const judged = walked && tcbInfo && extension && { walked, tcbInfo, sgx: extension }
  return {
    decodes: walked !== undefined,
    keyType: walked?.keyType === 2,
    vendor: walked?.vendor === VENDOR,
    padding: walked?.rest.every((byte) => byte === 0) === true && machine.quote.length <= 8192,
    certType: walked?.certType === 5,
    quoteSignature: walked !== undefined && key !== undefined && p1363(walked.signed, key, walked.signature),
    qeSignature:
      walked !== undefined && leaf !== undefined && p1363(walked.qeReport, leaf.publicKey, walked.qeSignature),
    qeBinding:
      walked !== undefined &&
      createHash('sha256').update(walked.key).update(walked.qeAuth).digest().equals(walked.qeReport.subarray(320, 352)),
    qeTail: walked?.qeReport.subarray(352).every((byte) => byte === 0) === true,
    chain: leadsTo(chain, 3, root) && chain.every((one) => one.raw.includes(Buffer.from(ECDSA_SHA256, 'hex'))),
    chainTime: chain.length > 0 && chain.every((one) => usable(one, at)),
    chainUse:
      leaf !== undefined &&
      issuer !== undefined &&
      usesHold(leaf, 'leaf', 'Intel SGX PCK Certificate', '3000') &&
      usesHold(issuer, 'authority', 'Intel SGX PCK P', '30060101ff020100') &&
      usesHold(root, 'authority', 'Intel SGX Root CA', '30060101ff020101'),
    sgxExtension: sgxExtensionHolds(extension),
    tcbInfoSigner: signerHolds(signers[0] ?? []),
    tcbInfoSignature: documentSigned(c.tcbInfo, c.tcbInfoSignature, tcbSigner),
    tcbInfoForm: tcbInfoHolds(tcbInfo, c.tcbInfo),
    tcbInfoTime: inTime(at, String(tcbInfo?.issueDate), String(tcbInfo?.nextUpdate)),
    tcbInfoMatch:
      tcbInfo !== undefined &&
      `4:${String(tcbInfo.fmspc).toLowerCase()}` === extension?.get('4') &&
      `4:${String(tcbInfo.pceId).toLowerCase()}` === extension?.get('3') &&
      (tcbInfo.id ?? 'SGX') === machine.tee,
    qeIdentitySigner: signerHolds(signers[1] ?? []),
    qeIdentitySignature: documentSigned(c.qeIdentity, c.qeIdentitySignature, qeSigner),
    qeIdentityForm: qeIdentityHolds(qeIdentity, c.qeIdentity),
    qeIdentityTime: inTime(at, String(qeIdentity?.issueDate), String(qeIdentity?.nextUpdate)),
    qeIdentityMatch:
      walked !== undefined &&
      qeIdentity !== undefined &&
      (qeIdentity.id === 'TD_QE') === (machine.tee === 'TDX') &&
      masked(walked.qeReport.subarray(16, 20), String(qeIdentity.miscselectMask), String(qeIdentity.miscselect)) &&
      masked(walked.qeReport.subarray(48, 64), String(qeIdentity.attributesMask), String(qeIdentity.attributes)) &&
      walked.qeReport.subarray(128, 160).toString('hex').toUpperCase() === qeIdentity.mrsigner &&
      walked.qeReport.readUInt16LE(256) === qeIdentity.isvprodid,
    rootCrl: listHolds(rootCrl, root),
    rootCrlTime: listInTime(rootCrl, at),
    pckCrl: crlIssuer !== undefined && listHolds(pckCrl, crlIssuer),
    pckCrlTime: listInTime(pckCrl, at),
    notRevoked: !revokes(rootCrl, [issuer, tcbSigner, root]) && !revokes(pckCrl, [leaf]),
    platform: judged !== undefined && platformStatus(judged) === 'UpToDate',
    module:
      walked !== undefined &&
      (walked.teeType === 0 || (tcbInfo !== undefined && moduleStatus({ walked, tcbInfo }) === 'UpToDate')),
    qeLevel: walked !== undefined && svnStatus(qeIdentity?.tcbLevels, walked.qeReport.readUInt16LE(258)) === 'UpToDate',
    body: walked !== undefined && bodyHolds(walked, machine.expected),
  }
}

const revokes = (of: List | undefined, who: readonly (X509Certificate | undefined)[]): boolean =>
  who.some((one) => of?.crl.entries.some((e) => same(e.serialNumber, one?.serialNumber)) === true)

const same = (a: string, b: string | undefined): boolean => b !== undefined && BigInt(`0x${a}`) === BigInt(`0x${b}`)

const ZERO_IN_ENCLAVES = [
  [20, 48],
  [96, 128],
  [160, 256],
  [260, 320],
] as const

/** Every byte of the body is what the machine says a relying party expects, and nothing else is set. */
function bodyHolds({ body, teeType }: WalkedQuote, expected: object): boolean {
  const fields = expected as Readonly<Record<string, Uint8Array | number | undefined>>
  const places: Readonly<Record<string, readonly [number, number]>> = teeType === 0 ? SGX_PLACES : TD_PLACES
  const whole = Buffer.alloc(body.length)
  for (const [name, value] of Object.entries(fields)) {
    const [offset, size] = places[name] ?? [0, 0]
    if (typeof value === 'number') whole.writeUIntLE(value, offset, size)
    else if (value !== undefined) whole.set(value, offset)
  }
  const reserved = teeType === 0 ? ZERO_IN_ENCLAVES : []
  return whole.equals(body) && reserved.every(([from, to]) => body.subarray(from, to).every((byte) => byte === 0))
}

const SGX_PLACES = {
  cpuSvn: [0, 16],
  attributes: [48, 16],
  mrEnclave: [64, 32],
  mrSigner: [128, 32],
  isvProdId: [256, 2],
  isvSvn: [258, 2],
  reportData: [320, 64],
} as const

const TD_PLACES = {
  teeTcbSvn: [0, 16],
  mrSeam: [16, 48],
  tdAttributes: [120, 8],
  xfam: [128, 8],
  mrTd: [136, 48],
  mrConfigId: [184, 48],
  rtmr0: [328, 48],
  rtmr1: [376, 48],
  rtmr2: [424, 48],
  rtmr3: [472, 48],
  reportData: [520, 64],
  teeTcbSvn2: [584, 16],
} as const
