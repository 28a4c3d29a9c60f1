import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../../core/limits.ts'
import { type Fault, failed, type Outcome, ok } from '../../core/outcome.ts'
import { reportDataFor } from '../answers.ts'
import type { Collected, Collector, EvidencePart, Probed, Question } from '../collector.ts'
import { systemCodeOf } from '../system-error.ts'
import { guestNodes, isThere, whyNoTsm } from './absence.ts'
import { configfs, type TsmFiles } from './files.ts'
import { readReport, type TsmReport } from './report.ts'

export interface TsmOptions {
  /** where the file system begins: `/`, or the root of a container or a recorded tree */
  readonly root?: string
  /** the folder itself, where it is not configfs below the root */
  readonly files?: TsmFiles
  /** VMPL that the report shall state, 0 to 3; undefined leaves it to the kernel. TDX has none. */
  readonly privlevel?: number
}

const REPORT_FOLDER = 'sys/kernel/config/tsm/report'
const CCEL = 'sys/firmware/acpi/tables/data/CCEL'
const MOST_ATTEMPTS = 3

/**
 * The CPU's report by way of Linux's configfs-tsm (kernel 6.7 and later): an SNP report with the host's certificate table, or
 * a TDX quote with the log of what its registers measured.
 */
export function tsmCollector({ root = '/', files, privlevel }: TsmOptions = {}): Collector {
  if (privlevel !== undefined && ![0, 1, 2, 3].includes(privlevel)) throw new TypeError('privlevel is 0 to 3')
  const folder = files ?? configfs(join(root, REPORT_FOLDER))
  const absent = async (): Promise<Fault | undefined> =>
    files !== undefined || (await isThere(join(root, REPORT_FOLDER))) ? undefined : whyNoTsm(root)

  return {
    name: 'tsm',
    makes: 'cpu',
    async probe(): Promise<Probed> {
      const why = await absent()
      const nodes = await guestNodes(root)
      return {
        faults: why === undefined ? [] : [why],
        facts: {
          ...(nodes.length === 0 ? {} : { nodes: nodes.map(({ node }) => node).join(', ') }),
          ...(why === undefined ? { reports: `/${REPORT_FOLDER}` } : {}),
        },
      }
    },
    async collect(question: Question, before: readonly EvidencePart[]): Promise<Outcome<Collected>> {
      const why = await absent()
      if (why !== undefined) return failed([why])
      const report = await untilAlone(folder, await reportDataFor(question, before), privlevel)
      if (!report.ok) return report
      const eventLog = report.value.format === 'intel/tdx-quote' ? await eventLogAt(join(root, CCEL)) : undefined
      return ok({ evidence: { kind: 'parts', parts: [partOf(report.value, eventLog)] }, faults: [] })
    },
  }
}

/** Somebody else's write spoils one entry; a new one has another name. */
async function untilAlone(
  files: TsmFiles,
  inblob: Uint8Array,
  privlevel: number | undefined,
): Promise<Outcome<TsmReport>> {
  for (let attempt = 1; ; attempt++) {
    const report = await readReport(files, `vouchsafe-${randomUUID()}`, inblob, privlevel)
    if (report.ok || attempt === MOST_ATTEMPTS) return report
    if (!report.faults.some(({ code }) => code === 'COLLECT_TSM_GENERATION_CHANGED' || code === 'COLLECT_TSM_BUSY'))
      return report
  }
}

const partOf = ({ format, outblob, auxblob }: TsmReport, eventLog: Uint8Array | undefined): EvidencePart => ({
  id: 'cpu',
  format,
  data: outblob,
  certs: auxblob.length === 0 ? [] : [auxblob],
  ...(eventLog === undefined ? {} : { eventLog }),
})

/** The log is an offer: a policy that needs it refuses evidence without. */
async function eventLogAt(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path)
    return size > LIMITS.eventLogBytes ? undefined : new Uint8Array(await readFile(path))
  } catch (error) {
    systemCodeOf(error)
    return undefined
  }
}
