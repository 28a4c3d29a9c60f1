import { type Collector, collectEvidence, type Question } from '../../collect/index.ts'
import { type Fault, finding, type NonEmpty, type Outcome } from '../../core/outcome.ts'
import { layer, skipped } from '../../selftest/layers.ts'
import type { Layer } from '../../selftest/report.ts'
import type { Source } from './sources.ts'

/** What a run brought home, and what the sources said of themselves. */
export interface Gathered {
  readonly evidence: Uint8Array | undefined
  readonly layers: readonly Layer[]
  readonly tpm: Layer
  /** evidence of the TPM alone, where it answered */
  readonly tpmEvidence: Uint8Array | undefined
  readonly identifiers: readonly string[]
}

/** Codes by which a source says that this machine has no such thing, which is a state and no fault of anybody. */
const ABSENT = new Set(['COLLECT_NVML_LIBRARY_ABSENT', 'COLLECT_NVML_NO_GPU', 'COLLECT_FFI_ABSENT'])

/**
 * Asks every source the same question. Where one cannot answer, the others are still judged, for there are leases for
 * less: each source has a line that says so.
 */
export async function gather(source: Source, question: Question): Promise<Gathered> {
  const probes = await Promise.all(source.collectors.map((c) => c.probe()))
  const answers = await answersOf(source.collectors, question)
  const layers = source.collectors.map((collector, i): Layer => {
    const id = `source.${collector.name}`
    const answer = answers.each[i]
    const faults = answer === undefined ? [] : answer.ok ? toldBy(collector, answer.value.faults) : answer.faults
    const facts = Object.entries(probes[i]?.facts ?? {}).map(([name, value]) => `${name} ${value}`)
    const lacks = answer?.ok === false && faults.every(({ code }) => ABSENT.has(code))
    const findings = faults.map((f) => finding(f, collector.name))
    const line = layer(id, findings, facts.length === 0 ? ['answered'] : facts)
    // A machine without GPU is no broken one.
    return lacks && collector.makes === 'devices' && answers.evidence !== undefined ? { ...line, state: 'skip' } : line
  })
  const tpm = await gatherTpm(source, question)
  return {
    ...tpm,
    evidence: answers.evidence,
    layers: [
      ...layers,
      ...source.unasked.filter(({ id }) => id !== 'tpm').map(({ id, because }) => skipped(id, because)),
    ],
    identifiers: probes.flatMap(({ facts }) =>
      Object.entries(facts).flatMap(([name, value]) => (/uuid|serial/i.test(name) ? [value] : [])),
    ),
  }
}

/** What was told beside whole evidence comes from devices: a CPU's source, where it is not alone, answers or does not. */
const toldBy = ({ makes }: Collector, faults: readonly Fault[]): readonly Fault[] => (makes === 'cpu' ? [] : faults)

type Answer = Outcome<{ readonly bytes: Uint8Array; readonly faults: readonly Fault[] }>

/** All together; where that fails, each by itself, and then those that could. */
async function answersOf(
  collectors: readonly Collector[],
  question: Question,
): Promise<{ readonly evidence: Uint8Array | undefined; readonly each: readonly Answer[] }> {
  const [first, ...rest] = collectors
  if (first === undefined) return { evidence: undefined, each: [] }
  const ask = (those: NonEmpty<Collector>): Promise<Answer> => collectEvidence(those, question)
  const together = await ask([first, ...rest])
  if (together.ok || rest.length === 0)
    return { evidence: together.ok ? together.value.bytes : undefined, each: collectors.map(() => together) }
  const each: Answer[] = []
  for (const collector of collectors) each.push(await ask([collector]))
  const [able, ...others] = collectors.filter((_, i) => each[i]?.ok === true)
  if (able === undefined) return { evidence: undefined, each }
  const joined = await ask([able, ...others])
  return { evidence: joined.ok ? joined.value.bytes : undefined, each }
}

/** The TPM is asked by itself: no preset wants it, and a key that nobody vouches for must not spoil the CPU's evidence. */
async function gatherTpm({ tpm, unasked }: Source, question: Question): Promise<Pick<Gathered, 'tpm' | 'tpmEvidence'>> {
  if (tpm === undefined) {
    const because = unasked.find(({ id }) => id === 'tpm')?.because ?? 'not asked: evidence comes from elsewhere'
    return { tpm: skipped('tpm', because), tpmEvidence: undefined }
  }
  // Many TPMs take no more than 32 bytes of question.
  const answer = await collectEvidence([tpm], { ...question, binding: 'derived' })
  const findings = answer.ok ? [] : answer.faults.map((f) => finding(f, 'tpm'))
  return {
    tpm: layer('tpm', findings, []),
    tpmEvidence: answer.ok ? answer.value.bytes : undefined,
  }
}
