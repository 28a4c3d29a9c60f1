import { CODES } from '../core/codes.ts'
import type { Fault } from '../core/outcome.ts'
import { bold, dim, safe, wrap } from './style.ts'

/** Faults in what the operator typed or wrote, one line each, for stderr. Paths and values in faults are printable. */
export function faultText(faults: readonly Fault[]): string {
  return faults
    .map((f) => {
      const wanted = f.expected === undefined ? '' : `, expected ${f.expected}`
      const found = f.actual === undefined ? '' : `, found ${f.actual}`
      return `${f.code} at ${f.path || '/'}${wanted}${found}`
    })
    .join('\n')
}

/**
 * One fault with what was wanted, what was found, and the remedy.
 * @param items ids of the items that have it, where the path does not say so by itself
 */
export function explained(f: Fault, items: readonly string[] = []): string {
  const row = (name: string, text: string) => wrap(safe(text), `     ${name.padEnd(10)}`, undefined, ' '.repeat(15))
  const { title, hint } = CODES[f.code]
  const lines = [wrap(title, `  ${bold(f.code)}  `, undefined, '     ')]
  const owners = items.length === 0 ? '' : ` of ${items.join(', ')}`
  lines.push(dim(row('at', `${f.path || '/'}${owners}${f.source === undefined ? '' : `, by rule ${f.source}`}`)))
  if (f.expected !== undefined) lines.push(row('expected', f.expected))
  if (f.actual !== undefined) lines.push(row('found', f.actual))
  lines.push(row('remedy', hint))
  return lines.join('\n')
}

export const faultsForPeople = (faults: readonly Fault[]): string => faults.map((f) => explained(f)).join('\n')
