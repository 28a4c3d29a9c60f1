import { readFile } from 'node:fs/promises'
import { utf8 } from '../../core/bytes.ts'
import { toBase64, toHex } from '../../core/encodings.ts'
import { attemptAsync, fail, type Outcome, ok, take } from '../../core/outcome.ts'
import { qualifyingDataFor } from '../answers.ts'
import type { Collected, Collector, EvidencePart, Probed, Question } from '../collector.ts'
import { systemCodeOf } from '../system-error.ts'
import { Esys } from './esys.ts'
import { createAk, createEk, flush, type KeyBlob, type LoadedKey, loadAk, persistentKey, quote } from './keys.ts'
import { readNv } from './nv.ts'
import { banks, manufacturer, readPcrs } from './pcrs.ts'
import type { KeyKind } from './templates.ts'
import type { PcrBank } from './wire.ts'

export interface TpmOptions {
  /** how the TPM is reached, as tpm2-tss writes it; default `device:/dev/tpmrm0` */
  readonly tcti?: string
  /** which key quotes: one that the platform left in the TPM, one that was made before, or a new one below the EK */
  readonly ak:
    | { readonly persistent: number }
    | { readonly kind: KeyKind; readonly blob: KeyBlob }
    | { readonly create: KeyKind }
  readonly bank: PcrBank
  /** 0 to 23, at least one */
  readonly registers: readonly [number, ...number[]]
  /** NV index of the key's certificate, where the platform keeps one */
  readonly certificateNv?: number
  /** file of the firmware's log; undefined sends none */
  readonly eventLog?: string
}

/** Where Linux shows the log of what the firmware measured. */
export const FIRMWARE_EVENT_LOG = '/sys/kernel/security/tpm0/binary_bios_measurements'

/** A quote of the machine's TPM over the question's qualifying data, with the values of the registers it is about. */
export function tpmCollector(options: TpmOptions): Collector {
  return {
    name: 'tpm',
    makes: 'devices',
    async probe(): Promise<Probed> {
      const facts = await withTpm(options.tcti, (esys) =>
        attemptAsync(async () => ({
          manufacturer: take(await manufacturer(esys)),
          banks: take(await banks(esys)).join(', '),
        })),
      )
      return facts.ok ? { faults: [], facts: facts.value } : { faults: facts.faults, facts: {} }
    },
    collect: (question: Question): Promise<Outcome<Collected>> =>
      withTpm(options.tcti, (esys) =>
        attemptAsync(async () => {
          const part = take(await quotedPart(esys, options, await qualifyingDataFor(question)))
          return { evidence: { kind: 'parts' as const, parts: [part] as const }, faults: [] }
        }),
      ),
  }
}

/** Opens the TPM for one piece of work and closes it again. */
export async function withTpm<T>(
  tcti: string | undefined,
  use: (esys: Esys) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const esys = await Esys.open(tcti)
  if (!esys.ok) return esys
  try {
    return await use(esys.value)
  } finally {
    await esys.value.close()
  }
}

function quotedPart(esys: Esys, options: TpmOptions, nonce: Uint8Array): Promise<Outcome<EvidencePart>> {
  return attemptAsync(async () => {
    const { bank, registers, certificateNv } = options
    const eventLog = options.eventLog === undefined ? undefined : take(await readEventLog(options.eventLog))
    const certificate = certificateNv === undefined ? undefined : take(await readNv(esys, certificateNv))
    const { attest, signature, akPublic, pcrs } = take(
      await withAk(esys, options.ak, (ak) =>
        attemptAsync(async () => {
          // Values first: a register that is extended in between refuses the quote instead of the values.
          const values = take(await readPcrs(esys, bank, registers))
          return { ...take(await quote(esys, ak, nonce, bank, registers)), akPublic: ak.publicArea, pcrs: values }
        }),
      ),
    )
    const data = {
      format: 'vouchsafe/tpm-quote/1',
      attest: toBase64(attest),
      signature: toBase64(signature),
      akPublic: toBase64(akPublic),
      pcrs: { [bank]: Object.fromEntries([...pcrs].map(([register, value]) => [register, toHex(value)])) },
    }
    return {
      id: 'tpm',
      format: 'tpm/quote' as const,
      data: utf8(JSON.stringify(data)),
      certs: certificate === undefined ? [] : [certificate],
      ...(eventLog === undefined ? {} : { eventLog }),
    }
  })
}

/** The key for one piece of work; what was loaded for it is flushed, a persistent key stays. */
async function withAk<T>(
  esys: Esys,
  ak: TpmOptions['ak'],
  use: (key: LoadedKey) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  return attemptAsync(async () => {
    if ('persistent' in ak) return take(await use(take(await persistentKey(esys, ak.persistent))))
    const kind = 'create' in ak ? ak.create : ak.kind
    const ek = take(await createEk(esys, kind))
    const used = await attemptAsync(async () => {
      const blob = 'create' in ak ? take(await createAk(esys, ek, kind)) : ak.blob
      const key = take(await loadAk(esys, ek, blob))
      const done = await use(key)
      take(await flush(esys, key))
      return take(done)
    })
    take(await flush(esys, ek))
    return take(used)
  })
}

/** The firmware's log as the kernel shows it, or COLLECT_EVENT_LOG_UNREADABLE. */
export async function readEventLog(path = FIRMWARE_EVENT_LOG): Promise<Outcome<Uint8Array>> {
  try {
    return ok(new Uint8Array(await readFile(path)))
  } catch (error) {
    return fail('COLLECT_EVENT_LOG_UNREADABLE', path, { actual: systemCodeOf(error) })
  }
}
