import { bold, dim, padEnd, red, safe, wrap } from '../style.ts'
import type { EventLogView, EventView } from './model.ts'

const SHOWN_DIGITS = 16

/** The events of a log and the registers that they lead to. @param full digests whole, each on a line of its own */
export function renderEventLog(log: EventLogView, full: boolean): string {
  const { form, file, version, sizeBytes, sha256, registers, events } = log
  const name = file === undefined ? '' : `  ${safe(file)}`
  const kind = form === 'ccel' ? 'CCEL' : 'dstack'
  const out = [bold(`━━ event log${name}  ${kind}  ${sizeBytes} bytes`), dim(`   sha256 ${sha256}`)]
  if (version !== undefined) out.push(dim(`   digests of RTMR3 by version ${version.number}; ${version.because}`))
  if (events.length === 0) return out.join('\n')
  out.push(dim('   The digests of these events lead to'))
  for (const { index, events: count, replayed } of registers)
    out.push(`   RTMR${index} after ${count} ${count === 1 ? 'event' : 'events'}`, `   ${replayed}`)
  const typeWidth = Math.max(...events.map((e) => e.typeName.length))
  out.push(
    dim(
      `${'no'.padStart(5)}  reg    ${'type'.padEnd(typeWidth)}  ${'digest'.padEnd(SHOWN_DIGITS + 1)}  recomputed  says`,
    ),
  )
  for (const event of events) out.push(renderEvent(event, typeWidth, full))
  return out.join('\n')
}

function renderEvent(event: EventView, typeWidth: number, full: boolean): string {
  const { sequence, register, typeName, digest, recomputed, says } = event
  const start = `${String(sequence).padStart(5)}  RTMR${register}  ${typeName.padEnd(typeWidth)}  `
  const word = recomputed ? 'yes' : red('no')
  const row = `${start}${digest.slice(0, SHOWN_DIGITS)}…  ${padEnd(word, 'recomputed'.length)}  `
  const text = full || says.length <= SHOWN_TEXT ? says : `${says.slice(0, SHOWN_TEXT)}…`
  const line = wrap(safe(text), row, undefined, ' '.repeat(7)).trimEnd()
  return full ? `${line}\n${dim(`  ${digest}`)}` : line
}

const SHOWN_TEXT = 120
