import { isZero } from '../../core/bytes.ts'
import type { PartView } from './model.ts'

/** What one field says. */
export interface Meaning {
  readonly text: string
  readonly parts?: readonly PartView[]
}

export const says = (text: string) => (): Meaning => ({ text })
export const number = (value: number, text: string): Meaning => ({ text: `${value}: ${text}` })
export const optional = (field: Uint8Array, present: string, absent: string): Meaning => ({
  text: isZero(field) ? `zero: ${absent}` : present,
})

/** A bit of a field, with what it says when set and when clear. */
export type BitRow<N extends string = string> = readonly [bit: number, name: N, set: string, clear: string]

export const bitPart = (bit: number, name: string, set: boolean, whenSet: string, whenClear: string): PartView => ({
  at: `bit ${bit}`,
  name,
  value: set ? 1 : 0,
  meaning: set ? whenSet : whenClear,
})
