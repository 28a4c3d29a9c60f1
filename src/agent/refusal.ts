import { CODES, type Code, isCode } from '../core/codes.ts'
import { isJsonObject, type Json } from '../core/json.ts'
import { type Fault, failed, fault, type NonEmpty, type Outcome } from '../core/outcome.ts'
import type { Answer } from './exchange.ts'

/** Nobody wants to read more, and the service says the worst first. */
const MOST_REASONS = 16

/**
 * What the service says instead of a key: its own codes, whose remedies this agent has; where the verdict of what is wrong
 * differs from the answer's, the answer's first finding counts.
 * @returns those codes, or AGENT_ANSWER_INVALID for an answer without any
 */
export function refusalOf({ body, status }: Answer, path: string): Outcome<never> {
  const reasons = [...listOf(body.findings), ...listOf(body.evidence)].flatMap(reasonOf).slice(0, MOST_REASONS)
  const [first, ...more] = reasons
  return failed(
    first === undefined
      ? [fault('AGENT_ANSWER_INVALID', path, { expected: 'findings', actual: `status ${status}` })]
      : ([first, ...more] satisfies NonEmpty<Fault>),
  )
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])

function reasonOf(value: Json): readonly Fault[] {
  if (!isJsonObject(value) || typeof value.code !== 'string') return []
  const { code, item, path } = value
  const place = typeof path === 'string' ? path : typeof item === 'string' ? item : 'service'
  return [isCode(code) ? fault(code, place) : fault('AGENT_SERVICE_REFUSED', place, { actual: code })]
}

/** Whether asking again may help: the first reason decides, the others are details of it. */
export const mayHelpToAsk = ([first]: NonEmpty<Fault>): boolean =>
  CODES[first.code satisfies Code].verdict === 'inconclusive'
