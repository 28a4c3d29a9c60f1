/**
 * Runs a piece of work again and again, one run after another. Whoever asks while a run waits for its turn shares it: it has
 * not begun, so it sees everything that they did before they asked. Where a shared run fails, those who joined it get one more,
 * which they share: a failure that is over ends one run and not everybody's.
 * @returns what asks for a run; its promise is that of the run
 */
export function inTurns(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  const begun = (): Promise<void> => {
    const turn = last.then(() => {
      waiting = undefined
      return work()
    })
    waiting = turn
    last = turn.catch(() => undefined)
    return turn
  }
  return () => waiting?.catch(() => waiting ?? begun()) ?? begun()
}
