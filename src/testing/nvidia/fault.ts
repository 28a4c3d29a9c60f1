/** One thing wrong: what it is, the row of the must-reject catalogue where there is one, and how it is done. */
export interface Fault<T> {
  readonly what: string
  readonly row?: string
  readonly apply: (of: T) => T
}

/** A fault of a whole machine, and what the machine has to have for it. */
export interface MachineFault<T> extends Fault<T> {
  readonly needs?: 'two GPUs' | 'switches' | 'Hopper'
}
