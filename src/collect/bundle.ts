import { BUNDLE_KIND } from '../attestation/envelopes/bundle.ts'
import { BINDING_DOMAIN } from '../attestation/evidence-set/binding.ts'
import { utf8 } from '../core/bytes.ts'
import { toBase64 } from '../core/encodings.ts'
import { type Fault, failed, type NonEmpty, type Outcome, ok } from '../core/outcome.ts'
import { type Collector, checkQuestion, type EvidencePart, type Question } from './collector.ts'

/** Evidence of one machine, for `verify`. */
export interface MachineEvidence {
  /** a bundle (docs/evidence.md), or the one document as it came */
  readonly bytes: Uint8Array
  /** what sources said is wrong although they answered */
  readonly faults: readonly Fault[]
}

/**
 * Asks every source of one machine the same question: devices first, in the order given, then the CPU, whose report may
 * cover theirs. Either all of them answer or there is no evidence: a GPU that is left out would look like one that is absent.
 * @param collectors any number that make parts, or exactly one that makes a document
 * @returns the evidence, or the faults of every source that could not answer
 * @throws TypeError for a document beside other sources, for none at all, or for a question that is none
 */
export async function collectEvidence(
  collectors: NonEmpty<Collector>,
  question: Question,
): Promise<Outcome<MachineEvidence>> {
  checkQuestion(question)
  if (collectors.length === 0) throw new TypeError('evidence needs a collector')
  if (collectors.length > 1 && collectors.some((c) => c.makes === 'document'))
    throw new TypeError('a collector that makes a document stands alone')
  if (collectors.filter((c) => c.makes === 'cpu').length > 1) throw new TypeError('one machine has one CPU report')
  const parts: EvidencePart[] = []
  const faults: Fault[] = []
  const refusals: Fault[] = []
  const devicesFirst = [...collectors].sort((a, b) => Number(a.makes === 'cpu') - Number(b.makes === 'cpu'))
  for (const collector of devicesFirst) {
    const collected = await collector.collect(question, parts)
    if (!collected.ok) {
      refusals.push(...collected.faults)
      continue
    }
    const { evidence } = collected.value
    faults.push(...collected.value.faults)
    if (evidence.kind === 'document') return ok({ bytes: evidence.bytes, faults })
    parts.push(...evidence.parts)
  }
  const [refusal, ...others] = refusals
  return refusal === undefined ? ok({ bytes: bundleOf(parts, question), faults }) : failed([refusal, ...others])
}

/** The generic bundle of docs/evidence.md, as JSON in UTF-8. */
export function bundleOf(parts: readonly EvidencePart[], { key, binding }: Question): Uint8Array {
  return utf8(
    JSON.stringify({
      kind: BUNDLE_KIND,
      items: parts.map(({ id, format, data, certs, eventLog }) => ({
        id,
        format,
        data: toBase64(data),
        ...(certs.length === 0 ? {} : { certs: certs.map(toBase64) }),
        ...(eventLog === undefined ? {} : { eventLog: toBase64(eventLog) }),
      })),
      binding,
      ...(key === undefined ? {} : { key: { spki: toBase64(key), domain: BINDING_DOMAIN } }),
    }),
  )
}
