import type { Chain, ChainLink } from '../../selftest/report.ts'
import { escapeHtml } from './escape.ts'

const BOX_WIDTH = 196
const BOX_HEIGHT = 74
const GAP = 34
const TEXT_CHARACTERS = 26

const short = (text: string): string =>
  text.length <= TEXT_CHARACTERS ? text : `${text.slice(0, TEXT_CHARACTERS - 1)}…`

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

function boxOf({ name, notBefore, notAfter, anchor }: ChainLink): Box {
  const validity = notAfter === '' ? '' : `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`
  return { title: name, lines: [ANCHOR_WORDS[anchor], validity].filter((text) => text !== ''), style: anchor }
}

function drawBox({ title, lines, style }: Box, x: number): string {
  const text = (line: string, at: number, of: string) =>
    `<text class="${of}" x="${x + 12}" y="${at}">${escapeHtml(short(line))}</text>`
  return [
    `<g class="box ${style}"><title>${escapeHtml(title)}</title>`,
    `<rect x="${x}" y="1" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="8"/>`,
    text(title, 27, 'name'),
    ...lines.map((line, i) => text(line, 46 + i * 17, 'note')),
    '</g>',
  ].join('')
}

function drawArrow(x: number): string {
  const [y, end] = [1 + BOX_HEIGHT / 2, x + GAP - 4]
  return `<path class="arrow" d="M${x + 4} ${y}H${end}m-6 -5l6 5l-6 5"/>`
}
