import { setTimeout as sleep } from 'node:timers/promises'
import { attemptAsync, type Outcome, take } from '../../core/outcome.ts'
import { reportDataFor } from '../answers.ts'
import type { Collected, Collector, Probed, Question } from '../collector.ts'
import { withTpm } from './collector.ts'
import { readNv, writeNv } from './nv.ts'

/** Where the paravisor leaves its report, and where it takes what the next one shall hold (tpm-and-clouds.md §4). */
const HCL_REPORT = 0x01400001
const HCL_USER_DATA = 0x01400002
/** Time that the paravisor takes to write a new report. */
const REPORT_MILLISECONDS = 3000

export interface AzureOptions {
  readonly tcti?: string
  readonly wait?: (milliseconds: number) => Promise<void>
}

/**
 * The report of Azure's paravisor (HCL) out of the vTPM, asked anew so that its runtime data hold the answer to the question
 * under `user-data`. The report itself was signed at boot: whether that suffices is for `verify`.
 */
export function azureCollector({ tcti, wait }: AzureOptions = {}): Collector {
  const pause = wait ?? (async (milliseconds: number) => void (await sleep(milliseconds)))
  return {
    name: 'azure-hcl',
    makes: 'document',
    async probe(): Promise<Probed> {
      const report = await withTpm(tcti, (esys) => readNv(esys, HCL_REPORT))
      return report.ok
        ? { faults: [], facts: { reportBytes: String(report.value.length) } }
        : { faults: report.faults, facts: {} }
    },
    collect: (question: Question): Promise<Outcome<Collected>> =>
      withTpm(tcti, (esys) =>
        attemptAsync(async () => {
          take(await readNv(esys, HCL_REPORT))
          take(await writeNv(esys, HCL_USER_DATA, await reportDataFor(question, [])))
          await pause(REPORT_MILLISECONDS)
          const bytes = take(await readNv(esys, HCL_REPORT))
          return { evidence: { kind: 'document' as const, bytes }, faults: [] }
        }),
      ),
  }
}
