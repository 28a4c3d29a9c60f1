import type { Fault } from './fault.ts'
import { dropOpaque, type OpaqueEdit } from './opaque.ts'
import type { MeasurementBlock, SpdmFields } from './spdm.ts'

export type ReportEdit = (fields: SpdmFields) => SpdmFields

export const set =
  (fields: Partial<SpdmFields>): ReportEdit =>
  (of) => ({ ...of, ...fields })

export const opaque =
  (edit: OpaqueEdit): ReportEdit =>
  (of) => ({ ...of, opaque: edit(of.opaque) })

/** Changes the block with this index, counted from 1. */
export const block =
  (index: number, change: (block: MeasurementBlock) => MeasurementBlock): ReportEdit =>
  (of) => ({ ...of, blocks: of.blocks.map((b) => (b.index === index ? change(b) : b)) })

/** Leaves out the opaque field of this type. */
export const missing = (type: number, what: string): Fault<SpdmFields> => ({ what, apply: opaque(dropOpaque(type)) })
