/** What a code means, always: the verdict it carries, one sentence on what is wrong, and who can do what about it. */
export interface CodeEntry {
  /** `reject` is final for these bytes; `inconclusive` lacks something and may be asked again. Neither opens anything. */
  readonly verdict: 'reject' | 'inconclusive'
  readonly title: string
  readonly hint: string
}

/** One area's codes. */
export type CodeTable = Readonly<Record<string, CodeEntry>>
