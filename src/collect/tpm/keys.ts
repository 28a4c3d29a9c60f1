import { concatBytes } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import { attemptAsync, type Outcome, take } from '../../core/outcome.ts'
import { type Argument, BY_PASSWORD, type Esys, handleOf, NO_SESSIONS, TR, wireOf } from './esys.ts'
import { akTemplate, ekTemplate, type KeyKind } from './templates.ts'
import { ALG, type PcrBank, pcrSelection, sized, u16, u32, unsized } from './wire.ts'

/*
 * Authorisations are empty passwords, as on a TPM that nobody took.
 */

/** An object loaded into the TPM, until `flush` or the end of the context. */
export interface LoadedKey {
  readonly handle: number
  /** TPMT_PUBLIC */
  readonly publicArea: Uint8Array
}

/** A key as it may be kept: only the TPM that made it can use `private`. Both are TPM2B_x. */
export interface KeyBlob {
  readonly private: Uint8Array
  readonly public: Uint8Array
}

export interface Quoted {
  /** TPMS_ATTEST */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE */
  readonly signature: Uint8Array
}

const by = (session: number): readonly Argument[] => [{ u32: session }, { u32: TR.none }, { u32: TR.none }]

const NO_DATA: Argument = { give: 'TPM2B_DATA', wire: sized(new Uint8Array()) }
const NO_PCRS: Argument = { give: 'TPML_PCR_SELECTION', wire: u32(0) }
const NO_AUTH: Argument = {
  give: 'TPM2B_SENSITIVE_CREATE',
  wire: sized(concatBytes(sized(new Uint8Array()), sized(new Uint8Array()))),
}

const SE_POLICY = 1
const NO_KEY: ReadonlyMap<number, Code> = new Map([[0x08b, 'COLLECT_TPM_KEY_ABSENT']])
/** INTEGRITY, VALUE, SIZE: what a credential for another key or another TPM looks like. */
const BAD_CREDENTIAL: ReadonlyMap<number, Code> = new Map([
  [0x09f, 'COLLECT_TPM_CREDENTIAL_REFUSED'],
  [0x084, 'COLLECT_TPM_CREDENTIAL_REFUSED'],
  [0x095, 'COLLECT_TPM_CREDENTIAL_REFUSED'],
])

/** The endorsement key by TCG's default template: the same key every time on the same TPM. */
export function createEk(esys: Esys, kind: KeyKind): Promise<Outcome<LoadedKey>> {
  return attemptAsync(async () => {
    const created = take(
      await esys.run('CreatePrimary', [
        { u32: TR.endorsement },
        ...BY_PASSWORD,
        NO_AUTH,
        { give: 'TPM2B_PUBLIC', wire: ekTemplate(kind) },
        NO_DATA,
        NO_PCRS,
        'handle',
        { want: 'TPM2B_PUBLIC' },
        'dropped',
        'dropped',
        'dropped',
      ]),
    )
    return { handle: handleOf(created), publicArea: unsized(wireOf(created)) }
  })
}

/** A new attestation key below the endorsement key: restricted signing, so that it quotes and signs nothing else. */
export function createAk(esys: Esys, ek: LoadedKey, kind: KeyKind): Promise<Outcome<KeyBlob>> {
  return withEk(esys, (session) =>
    attemptAsync(async () => {
      const { wires } = take(
        await esys.run('Create', [
          { u32: ek.handle },
          ...by(session),
          NO_AUTH,
          { give: 'TPM2B_PUBLIC', wire: akTemplate(kind) },
          NO_DATA,
          NO_PCRS,
          { want: 'TPM2B_PRIVATE' },
          { want: 'TPM2B_PUBLIC' },
          'dropped',
          'dropped',
          'dropped',
        ]),
      )
      const [secret = new Uint8Array(), area = new Uint8Array()] = wires
      return { private: secret, public: area }
    }),
  )
}

export function loadAk(esys: Esys, ek: LoadedKey, blob: KeyBlob): Promise<Outcome<LoadedKey>> {
  return withEk(esys, (session) =>
    attemptAsync(async () => {
      const loaded = take(
        await esys.run('Load', [
          { u32: ek.handle },
          ...by(session),
          { give: 'TPM2B_PRIVATE', wire: blob.private },
          { give: 'TPM2B_PUBLIC', wire: blob.public },
          'handle',
        ]),
      )
      return { handle: handleOf(loaded), publicArea: unsized(blob.public) }
    }),
  )
}

/** A key that the platform left in the TPM, e.g. Azure's attestation key 0x81000003. */
export function persistentKey(esys: Esys, handle: number): Promise<Outcome<LoadedKey>> {
  return attemptAsync(async () => {
    const found = handleOf(
      take(await esys.run('TR_FromTPMPublic', [{ u32: handle }, ...NO_SESSIONS, 'handle'], NO_KEY)),
    )
    const read = take(
      await esys.run('ReadPublic', [{ u32: found }, ...NO_SESSIONS, { want: 'TPM2B_PUBLIC' }, 'dropped', 'dropped']),
    )
    return { handle: found, publicArea: unsized(wireOf(read)) }
  })
}

/**
 * A quote of these registers over `qualifyingData`, by the key's own scheme.
 * @param qualifyingData at most 64 bytes; Azure takes 50, Google 32
 */
export function quote(
  esys: Esys,
  ak: LoadedKey,
  qualifyingData: Uint8Array,
  bank: PcrBank,
  registers: readonly number[],
): Promise<Outcome<Quoted>> {
  return attemptAsync(async () => {
    if (qualifyingData.length > 64) throw new TypeError('qualifyingData is at most 64 bytes')
    const { wires } = take(
      await esys.run('Quote', [
        { u32: ak.handle },
        ...BY_PASSWORD,
        { give: 'TPM2B_DATA', wire: sized(qualifyingData) },
        { give: 'TPMT_SIG_SCHEME', wire: u16(ALG.null) },
        { give: 'TPML_PCR_SELECTION', wire: pcrSelection(bank, registers) },
        { want: 'TPM2B_ATTEST' },
        { want: 'TPMT_SIGNATURE' },
      ]),
    )
    const [attest = new Uint8Array(2), signature = new Uint8Array()] = wires
    return { attest: unsized(attest), signature }
  })
}

/**
 * Proves that the key lives beside the endorsement key: opens a credential that was made for both of them.
 * @param idObject TPM2B_ID_OBJECT
 * @param encryptedSecret TPM2B_ENCRYPTED_SECRET
 * @returns the secret inside, or COLLECT_TPM_CREDENTIAL_REFUSED where it was made for another key or TPM
 */
export function activateCredential(
  esys: Esys,
  ek: LoadedKey,
  ak: LoadedKey,
  idObject: Uint8Array,
  encryptedSecret: Uint8Array,
): Promise<Outcome<Uint8Array>> {
  return withEk(esys, (session) =>
    attemptAsync(async () => {
      const opened = take(
        await esys.run(
          'ActivateCredential',
          [
            { u32: ak.handle },
            { u32: ek.handle },
            { u32: TR.password },
            { u32: session },
            { u32: TR.none },
            { give: 'TPM2B_ID_OBJECT', wire: idObject },
            { give: 'TPM2B_ENCRYPTED_SECRET', wire: encryptedSecret },
            { want: 'TPM2B_DIGEST' },
          ],
          BAD_CREDENTIAL,
        ),
      )
      return unsized(wireOf(opened))
    }),
  )
}

/** Forgets a loaded key. */
export async function flush(esys: Esys, key: LoadedKey): Promise<Outcome<void>> {
  const flushed = await esys.run('FlushContext', [{ u32: key.handle }])
  return flushed.ok ? { ok: true, value: undefined } : flushed
}

/** The policy session that the endorsement key asks for, used once and flushed whatever happens. */
async function withEk<T>(esys: Esys, use: (session: number) => Promise<Outcome<T>>): Promise<Outcome<T>> {
  return attemptAsync(async () => {
    const session = handleOf(
      take(
        await esys.run('StartAuthSession', [
          { u32: TR.none },
          { u32: TR.none },
          ...NO_SESSIONS,
          'null',
          { u32: SE_POLICY },
          { give: 'TPMT_SYM_DEF', wire: u16(ALG.null) },
          { u16: ALG.sha256 },
          'handle',
        ]),
      ),
    )
    const used = await attemptAsync(async () => {
      const secret: Argument[] = ['null', 'null', 'null', { u32: 0 }, 'dropped', 'dropped']
      take(await esys.run('PolicySecret', [{ u32: TR.endorsement }, { u32: session }, ...BY_PASSWORD, ...secret]))
      return take(await use(session))
    })
    take(await esys.run('FlushContext', [{ u32: session }]))
    return take(used)
  })
}
