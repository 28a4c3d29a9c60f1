import type { Chain, ChainLink } from '../../selftest/report.ts'
import { safe, wrap } from '../style.ts'
import { escapeHtml } from './escape.ts'

const BOX_WIDTH = 152
const BOX_HEIGHT = 88
const GAP = 24
/** What fits into a box, in columns and lines. */
const TEXT_CHARACTERS = 16
const TITLE_LINES = 2

/** A title in as many lines as there is room for; the whole of it is shown where a pointer rests on the box. */
function titleLines(title: string): readonly string[] {
  const lines = wrap(safe(title), '', TEXT_CHARACTERS).split('\n')
  const shown = lines.slice(0, TITLE_LINES)
  return lines.length <= TITLE_LINES ? shown : shown.map((l, i) => (i === TITLE_LINES - 1 ? `${l.slice(0, -1)}…` : l))
}

/** Root on the left, the signed report on the right, as one drawing without anything from elsewhere. */
export function drawChain({ item, kind, links, state }: Chain): string {
  const boxes = [...links.map(boxOf), { title: item, lines: [kind, 'signed report'], style: `report ${state}` }]
  const width = boxes.length * BOX_WIDTH + (boxes.length - 1) * GAP + 2
  const said = `${[...links.map(({ name }) => name), item].join(' signs ')}`
  return [
    `<svg viewBox="0 0 ${width} ${BOX_HEIGHT + 2}" width="${width}" role="img" aria-label="${escapeHtml(said)}">`,
    ...boxes.map((box, i) => drawBox(box, 1 + i * (BOX_WIDTH + GAP))),
    ...boxes.slice(1).map((_, i) => drawArrow(1 + (i + 1) * BOX_WIDTH + i * GAP)),
    '</svg>',
  ].join('\n')
}

interface Box {
  readonly title: string
  readonly lines: readonly string[]
  readonly style: string
}

const ANCHOR_WORDS = { pinned: 'pinned root', injected: 'injected root', none: '' } as const

function boxOf({ name, notAfter, anchor }: ChainLink): Box {
  const validity = notAfter === '' ? '' : `until ${notAfter.slice(0, 10)}`
  return { title: name, lines: [ANCHOR_WORDS[anchor], validity].filter((text) => text !== ''), style: anchor }
}

function drawBox({ title, lines, style }: Box, x: number): string {
  const texts = [
    ...titleLines(title).map((line) => ({ line, of: 'name' })),
    ...lines.map((line) => ({ line, of: 'note' })),
  ]
  return [
    `<g class="box ${style}"><title>${escapeHtml(title)}</title>`,
    `<rect x="${x}" y="1" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="8"/>`,
    ...texts.map(
      ({ line, of }, i) => `<text class="${of}" x="${x + 10}" y="${23 + i * 17}">${escapeHtml(line)}</text>`,
    ),
    '</g>',
  ].join('')
}

function drawArrow(x: number): string {
  const [y, end] = [1 + BOX_HEIGHT / 2, x + GAP - 4]
  return `<path class="arrow" d="M${x + 4} ${y}H${end}m-6 -5l6 5l-6 5"/>`
}
