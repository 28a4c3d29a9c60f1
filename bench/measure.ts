/** A piece of work that a case times. Each call is one unit and ends when all of it is done. */
export type Work = () => Promise<void>

export interface Compared {
  /** units per second, median over the rounds */
  readonly subject: number
  readonly yardstick: number
  /** subject's rate over the yardstick's: median of the rounds' own ratios */
  readonly ratio: number
  /** lowest and highest of the rounds' ratios */
  readonly spread: readonly [number, number]
  /** processor time of a unit of the yardstick over that of the subject: what the ratio tends to when nothing disturbs */
  readonly processorRatio: number
}

export interface Plan {
  /** units in flight at the same time, on both sides */
  readonly concurrency: number
  readonly rounds: number
  /** how long one side of one round takes, about */
  readonly sliceMilliseconds: number
}

/**
 * The rates of two pieces of work, measured in turn (A B A B …) in short slices, so that whatever else the machine does
 * meanwhile slows both. The first slices warm up and are not counted.
 */
export async function compare(subject: Work, yardstick: Work, plan: Plan): Promise<Compared> {
  const units = [await calibrated(subject, plan), await calibrated(yardstick, plan)] as const
  const rounds: { readonly subject: Slice; readonly yardstick: Slice }[] = []
  for (let i = 0; i < plan.rounds; i++) {
    rounds.push({ subject: await slice(subject, units[0], plan), yardstick: await slice(yardstick, units[1], plan) })
  }
  const ratios = rounds.map((round) => round.subject.rate / round.yardstick.rate)
  return {
    subject: median(rounds.map((round) => round.subject.rate)),
    yardstick: median(rounds.map((round) => round.yardstick.rate)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    processorRatio: median(rounds.map((round) => round.yardstick.processor / round.subject.processor)),
  }
}

interface Slice {
  /** units per second */
  readonly rate: number
  /** processor microseconds per unit, over all threads */
  readonly processor: number
}

/** Units that fill one slice, found while the code warms up. */
async function calibrated(work: Work, plan: Plan): Promise<number> {
  let units = plan.concurrency
  for (;;) {
    const start = performance.now()
    await run(work, units, plan.concurrency)
    const elapsed = performance.now() - start
    if (elapsed >= plan.sliceMilliseconds) {
      return Math.max(plan.concurrency, Math.round((units * plan.sliceMilliseconds) / elapsed))
    }
    units *= 2
  }
}

async function slice(work: Work, units: number, plan: Plan): Promise<Slice> {
  const start = performance.now()
  const before = process.cpuUsage()
  await run(work, units, plan.concurrency)
  const { user, system } = process.cpuUsage(before)
  return { rate: (units * 1000) / (performance.now() - start), processor: (user + system) / units }
}

async function run(work: Work, units: number, concurrency: number): Promise<void> {
  let left = units
  const lane = async (): Promise<void> => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new TypeError('no values')
  return middle
}
