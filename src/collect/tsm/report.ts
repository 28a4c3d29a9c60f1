import { kindOf } from '../../attestation/registry.ts'
import { latin1, utf8 } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import { attemptAsync, type FaultDetail, type Outcome, refuse } from '../../core/outcome.ts'
import { systemCodeOf } from '../system-error.ts'
import type { TsmFiles } from './files.ts'

/** What the kernel's provider is called, and what its `outblob` is. */
const PROVIDERS: Readonly<Record<string, 'amd/snp-report' | 'intel/tdx-quote'>> = {
  sev_guest: 'amd/snp-report',
  tdx_guest: 'intel/tdx-quote',
}

/** A report as the kernel gave it, of the kind that its provider makes. */
export interface TsmReport {
  readonly provider: string
  readonly format: 'amd/snp-report' | 'intel/tdx-quote'
  readonly outblob: Uint8Array
  /** certificate table that the host gave; empty where it gave none, or the provider has no such thing */
  readonly auxblob: Uint8Array
}

/** What the kernel answers, by the step it answered to. Everything else is a report that failed. */
const REFUSALS: Readonly<Record<string, Code>> = {
  ENXIO: 'COLLECT_TSM_PROVIDER_ABSENT',
  EACCES: 'COLLECT_TSM_PERMISSION',
  EPERM: 'COLLECT_TSM_PERMISSION',
  EROFS: 'COLLECT_TSM_PERMISSION',
  EBUSY: 'COLLECT_TSM_BUSY',
}

/** The outcome of a step, or the end of the attempt with the fault that its error is. */
async function step<T>(path: string, doing: () => Promise<T>): Promise<T> {
  try {
    return await doing()
  } catch (error) {
    const actual = systemCodeOf(error)
    return refuse(REFUSALS[actual] ?? 'COLLECT_TSM_REPORT_FAILED', path, { actual })
  }
}

/**
 * Makes one entry, has it signed over `inblob`, reads the report and removes the entry, whatever happens in between.
 * configfs reports a failed write of `inblob` to nobody (it happens when the file is closed), and other processes may write
 * into the same entry: the generation, which counts the writes, says whether the report is of our bytes and of ours alone.
 * @param inblob REPORT_DATA, 64 bytes
 * @returns the report, or COLLECT_TSM_PROVIDER_ABSENT · COLLECT_TSM_PERMISSION · COLLECT_TSM_BUSY ·
 * COLLECT_TSM_REPORT_FAILED · COLLECT_TSM_GENERATION_CHANGED · COLLECT_TSM_PROVIDER_UNKNOWN ·
 * COLLECT_TSM_REPORT_UNREADABLE · COLLECT_TSM_ENTRY_LEFT
 * @see Linux Documentation/ABI/testing/configfs-tsm-report
 */
export function readReport(
  files: TsmFiles,
  name: string,
  inblob: Uint8Array,
  privlevel: number | undefined,
): Promise<Outcome<TsmReport>> {
  return attemptAsync(async () => {
    await step(name, () => files.makeEntry(name))
    let report: TsmReport
    try {
      report = await readEntry(files, name, inblob, privlevel)
    } catch (error) {
      await files.removeEntry(name).catch(systemCodeOf)
      throw error
    }
    await files.removeEntry(name).catch((error) => {
      refuse('COLLECT_TSM_ENTRY_LEFT', name, { actual: systemCodeOf(error) })
    })
    return report
  })
}

async function readEntry(
  files: TsmFiles,
  name: string,
  inblob: Uint8Array,
  privlevel: number | undefined,
): Promise<TsmReport> {
  const at = (attribute: string) => `${name}/${attribute}`
  const text = (attribute: string) =>
    step(at(attribute), async () => latin1(await files.readAttribute(name, attribute)).trim())
  const write = (attribute: string, value: Uint8Array) =>
    step(at(attribute), () => files.writeAttribute(name, attribute, value))

  const before = generation(await text('generation'), at('generation'))
  if (privlevel !== undefined) await write('privlevel', utf8(String(privlevel)))
  await write('inblob', inblob)
  const outblob = await step(at('outblob'), () => files.readAttribute(name, 'outblob'))
  const auxblob = await step(at('auxblob'), () => readOptional(files, name, 'auxblob'))
  const provider = await text('provider')
  const after = generation(await text('generation'), at('generation'))

  const expected = before + (privlevel === undefined ? 1 : 2)
  if (after !== expected) refuse('COLLECT_TSM_GENERATION_CHANGED', at('generation'), { expected, actual: after })
  const format = PROVIDERS[provider]
  if (format === undefined)
    return refuse('COLLECT_TSM_PROVIDER_UNKNOWN', at('provider'), {
      expected: Object.keys(PROVIDERS).join(' or '),
      actual: provider,
    })
  const kind = kindOf(outblob)
  if (kind !== format) {
    const detail: FaultDetail = { expected: format, actual: outblob.length === 0 ? 'nothing' : kind }
    refuse('COLLECT_TSM_REPORT_UNREADABLE', at('outblob'), detail)
  }
  return { provider, format, outblob, auxblob }
}

/** Not every provider has it, and a kernel before 6.10 shows it to none but AMD's. */
async function readOptional(files: TsmFiles, name: string, attribute: string): Promise<Uint8Array> {
  try {
    return await files.readAttribute(name, attribute)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return new Uint8Array()
    throw error
  }
}

function generation(text: string, path: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) refuse('COLLECT_TSM_REPORT_FAILED', path, { expected: 'a number', actual: text })
  return Number(text)
}
