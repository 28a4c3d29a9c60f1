import { bold, dim, green, padEnd, red, safe, visible, WIDTH, wrap } from '../style.ts'
import type { CertificateView } from './model.ts'

/**
 * A certificate chain as a picture, root first: a box for each certificate, tied to the one that its issuer names. A dashed
 * box on top is a pinned anchor that is named and was not sent. Names tie the boxes; no signature was looked at.
 * @param shown digests of certificates that were drawn before, which are then only named; it is added to
 */
export function drawChains(certificates: readonly CertificateView[], shown: Set<string> = new Set()): string {
  const tops = certificates.filter((c) => c.issuedBy === undefined)
  return tops.map((top) => drawTree(top, certificates, shown).join('\n')).join('\n\n')
}

function drawTree(certificate: CertificateView, all: readonly CertificateView[], shown: Set<string>): string[] {
  const children = all.filter((c) => c.issuedBy === certificate.sha256)
  if (shown.has(certificate.sha256)) return drawKnown(certificate, children, all, shown)
  shown.add(certificate.sha256)
  const above = certificate.issuedBy === undefined ? aboveTop(certificate) : []
  const hasAbove = above.length > 0 || certificate.issuedBy !== undefined
  const below = children.flatMap((child, i) => [
    ...(i === 0 ? [TIE] : [dim(`   ${safe(certificate.commonName)} is also named by`), TIE]),
    ...drawTree(child, all, shown),
  ])
  return [...above, ...box(certificate, hasAbove, children.length > 0), ...below]
}

/** A certificate that was drawn before takes a line, and none where all that is below it was drawn as well. */
function drawKnown(
  certificate: CertificateView,
  children: readonly CertificateView[],
  all: readonly CertificateView[],
  shown: Set<string>,
): string[] {
  const line = dim(`   ${safe(certificate.commonName)}: drawn above`)
  const isWhole = children.every((child) => isDrawn(child, all, shown))
  const below = children.flatMap((child) => drawTree(child, all, shown))
  return isWhole && below.length > 0 ? below : [line, ...(below.length === 0 ? [] : [TIE]), ...below]
}

const isDrawn = (certificate: CertificateView, all: readonly CertificateView[], shown: ReadonlySet<string>): boolean =>
  shown.has(certificate.sha256) && all.every((c) => c.issuedBy !== certificate.sha256 || isDrawn(c, all, shown))

const INNER = WIDTH - 4
const TIE = '   │'

function aboveTop({ selfIssued, pinnedIssuer, circular, issuer }: CertificateView): string[] {
  if (selfIssued) return []
  const line = (text: string) => `┆ ${padEnd(text, INNER)} ┆`
  const text = (): string => {
    if (circular === true) return `${issuer}: below, so that the names go in a circle`
    if (pinnedIssuer === undefined) return `${issuer}: not sent, and no pinned anchor has this name`
    return `name of pinned anchor ${pinnedIssuer}, whose key the verifier holds`
  }
  const lines = wrap(safe(text()), '', INNER).split('\n')
  return [`┌${'┄'.repeat(INNER + 2)}┐`, ...lines.map(line), `└${'┄'.repeat(2)}┬${'┄'.repeat(INNER - 1)}┘`, TIE]
}

function box(c: CertificateView, hasAbove: boolean, hasBelow: boolean): string[] {
  const label =
    c.pinned !== undefined
      ? green(`pinned anchor ${c.pinned}`)
      : c.imitates !== undefined
        ? red(`name of ${c.imitates}, another key`)
        : c.selfIssued
          ? red('self-issued, not pinned')
          : c.ca
            ? 'authority'
            : 'leaf'
  const title = ` ${bold(safe(c.commonName))} `
  const fill = Math.max(1, INNER - 3 - visible(title) - visible(label))
  const head = `┌──${hasAbove ? '┴' : '─'}${title}${'─'.repeat(fill)} ${label} ┐`
  const rows = [
    ...field('subject', c.subject),
    ...field('issuer', c.selfIssued ? 'itself' : c.issuer),
    ...field('valid', `${c.notBefore} to ${c.notAfter}`),
    ...field('key', `${c.key}; the certificate is signed with ${c.algorithm}`),
    ...field('serial', c.serial),
    ...field('SHA-256', `${c.sha256.slice(0, 32)}…`),
    ...(c.certifies.length === 0
      ? []
      : field('says', c.certifies.map(({ what, value }) => `${what} ${shortened(value)}`).join(', '))),
  ]
  return [
    head,
    ...rows.map((row) => `│ ${padEnd(row, INNER)} │`),
    `└──${hasBelow ? '┬' : '─'}${'─'.repeat(INNER - 1)}┘`,
  ]
}

const NAME_WIDTH = 9
const SHOWN_DIGITS = 32

function field(name: string, text: string): string[] {
  return wrap(safe(text), dim(name.padEnd(NAME_WIDTH)), INNER, ' '.repeat(NAME_WIDTH)).split('\n')
}

/** Identifiers are told apart by their beginning; --json has them whole. */
const shortened = (value: string): string =>
  /^[0-9a-f]+$/.test(value) && value.length > SHOWN_DIGITS
    ? `${value.slice(0, SHOWN_DIGITS)}… (${value.length / 2} bytes)`
    : value
