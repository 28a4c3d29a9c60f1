import type { ModelProgress } from '../../weights/index.ts'
import { safe } from '../style.ts'

/** On a terminal the line is redrawn; elsewhere each is one more line of a log. */
const INTERVAL_MS = { terminal: 100, log: 5000 }
const BAR = 24

/**
 * A bar with rate and time that remains, on standard error: where somebody looks, or where it was asked for.
 * @returns what is told of progress, and what ends the bar; undefined where there is none
 */
export function progressBar(verb: string, wanted: boolean) {
  const isTerminal = process.stderr.isTTY === true
  if (!wanted && !isTerminal) return undefined
  const start = performance.now()
  let last = Number.NEGATIVE_INFINITY
  const draw = (progress: ModelProgress): void => {
    const now = performance.now()
    const isEnd = progress.bytesDone === progress.bytesTotal
    if (!isEnd && now - last < (isTerminal ? INTERVAL_MS.terminal : INTERVAL_MS.log)) return
    last = now
    const line = progressLine(verb, progress, (now - start) / 1000)
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
  }
  const end = (): void => {
    if (isTerminal && last !== Number.NEGATIVE_INFINITY) process.stderr.write('\n')
  }
  return { draw, end }
}

export function progressLine(verb: string, { path, bytesDone, bytesTotal }: ModelProgress, seconds: number): string {
  const share = bytesTotal === 0 ? 1 : bytesDone / bytesTotal
  const rate = seconds === 0 ? 0 : bytesDone / seconds
  const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.')
  // Of the first moment's rate nothing follows.
  const left = rate === 0 || seconds < 1 ? '' : `  ${clock((bytesTotal - bytesDone) / rate)} left`
  const amounts = `${sizeText(bytesDone)} of ${sizeText(bytesTotal)}  ${sizeText(rate)}/s${left}`
  return `${verb} [${bar}] ${Math.floor(share * 100)} %  ${amounts}  ${safe(path)}`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function sizeText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`
}

/** Minutes and seconds, hours where there are some. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (n: number): string => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
