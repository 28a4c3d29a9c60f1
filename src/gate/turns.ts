/**
 * Runs a piece of work again and again, one run after another. Whoever asks while a run waits for its turn shares it: it has
 * not begun, so it sees everything that they did before they asked.
 * @returns what asks for a run; its promise is that of the run
 */
export function inTurns(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  return () => {
    if (waiting !== undefined) return waiting
    const turn = last.then(() => {
      waiting = undefined
      return work()
    })
    waiting = turn
    last = turn.catch(() => undefined)
    return turn
  }
}
