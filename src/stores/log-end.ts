import { EMPTY_HEAD, headOf } from '../release/audit/entry.ts'
import type { AuditHead, AuditRow } from '../release/ports.ts'

/**
 * Where the log of one store ends. A row is read strictly, and once: what a process wrote last it most often finds as the last
 * row of its next transaction, and the very same row has the same end.
 */
export class LogEnd {
  #row: AuditRow | undefined
  #head: AuditHead = EMPTY_HEAD

  /**
   * The end of a log whose last row this is; `undefined` is an empty log.
   * @throws Error for a row that the log did not write
   */
  of(last: AuditRow | undefined): AuditHead {
    if (!isSame(last, this.#row)) [this.#head, this.#row] = [headOf(last), last && { ...last }]
    return this.#head
  }
}

const isSame = (a: AuditRow | undefined, b: AuditRow | undefined): boolean =>
  a?.sequence === b?.sequence && a?.chain === b?.chain && a?.entry === b?.entry
