import { CODES, type Code } from './codes.ts'

export type NonEmpty<T> = readonly [T, ...T[]]

/** What a decoder or check found wrong, before it is known which item of the evidence it belongs to. */
export interface Fault {
  readonly code: Code
  /** where in the input: a dotted field path, or a JSON pointer for text documents */
  readonly path: string
  readonly expected?: string
  readonly actual?: string
  /** whose rule was broken, e.g. a policy rule as `policy#/require/gpu/count`, or a bulletin */
  readonly source?: string
}

/** A fault as it is reported: attributed to an item, with the verdict and remedy of its code. */
export interface Finding extends Fault {
  readonly verdict: 'reject' | 'inconclusive'
  readonly item: string
  readonly hint: string
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: NonEmpty<Fault> }

export interface FaultDetail {
  readonly expected?: string | number | bigint
  readonly actual?: string | number | bigint
  readonly source?: string
}

const SHOWN_CHARACTERS = 600

/**
 * Text from the evidence made safe to print: anything but printable ASCII is escaped, and what is longer than
 * 600 characters is cut with a note of its length.
 */
export function printable(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? text.slice(0, SHOWN_CHARACTERS) : text
  const escaped = cut.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return cut === text ? escaped : `${escaped}… (${text.length} characters)`
}

export function fault(code: Code, path: string, detail: FaultDetail = {}): Fault {
  return {
    code,
    path: printable(path),
    ...(detail.expected === undefined ? {} : { expected: printable(String(detail.expected)) }),
    ...(detail.actual === undefined ? {} : { actual: printable(String(detail.actual)) }),
    ...(detail.source === undefined ? {} : { source: printable(detail.source) }),
  }
}

export const ok = <T>(value: T): Outcome<T> => ({ ok: true, value })

export const failed = (faults: NonEmpty<Fault>): Outcome<never> => ({ ok: false, faults })

export const fail = (code: Code, path: string, detail?: FaultDetail): Outcome<never> =>
  failed([fault(code, path, detail)])

/** The same outcome with nothing of what was found in its faults: for text that may be a secret. */
export function unquoted<T>(outcome: Outcome<T>): Outcome<T> {
  if (outcome.ok) return outcome
  const [first, ...more] = outcome.faults
  const told = ({ actual: _, ...f }: Fault): Fault => f
  return failed([told(first), ...more.map(told)])
}

/** The verdict of a fault is that of its code, always. */
export const verdictOf = (f: Fault): 'reject' | 'inconclusive' => CODES[f.code].verdict

export function finding(f: Fault, item: string): Finding {
  const { verdict, hint } = CODES[f.code]
  return { code: f.code, verdict, item, path: f.path, ...rest(f), hint }
}

function rest(f: Fault): { expected?: string; actual?: string; source?: string } {
  return {
    ...(f.expected === undefined ? {} : { expected: f.expected }),
    ...(f.actual === undefined ? {} : { actual: f.actual }),
    ...(f.source === undefined ? {} : { source: f.source }),
  }
}

/** Control flow inside one decoder; never leaves the function that called `attempt`. Carries no stack: it is data. */
class Refusal {
  readonly faults: NonEmpty<Fault>
  constructor(faults: NonEmpty<Fault>) {
    this.faults = faults
  }
}

/** Ends the surrounding `attempt` with this fault. */
export function refuse(code: Code, path: string, detail?: FaultDetail): never {
  throw new Refusal([fault(code, path, detail)])
}

/** The value of an outcome, or the end of the surrounding `attempt` with its faults. */
export function take<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  throw new Refusal(outcome.faults)
}

/** Runs a decoder written with `refuse` and `take`. Anything else it throws is an error of ours and is rethrown. */
export function attempt<T>(decode: () => T): Outcome<T> {
  try {
    return ok(decode())
  } catch (error) {
    if (error instanceof Refusal) return failed(error.faults)
    throw error
  }
}

/** `attempt` for checks that wait for the cryptographic port. */
export async function attemptAsync<T>(check: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return ok(await check())
  } catch (error) {
    if (error instanceof Refusal) return failed(error.faults)
    throw error
  }
}
