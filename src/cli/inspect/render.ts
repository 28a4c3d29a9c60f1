import { bold, dim, padEnd, red, safe, visible, wrap, yellow } from '../style.ts'
import { drawChains } from './boxes.ts'
import type {
  CollateralView,
  CrlView,
  EventLogView,
  FieldView,
  Inspection,
  IntelDocumentView,
  IntelLevelView,
  ItemView,
  OcspView,
  ProblemView,
  RimView,
  SectionView,
} from './model.ts'
import { renderEventLog } from './render-event-log.ts'

/** The picture for people. @param full long values whole */
export function renderInspection(inspection: Inspection, full: boolean): string {
  const out = [yellow('Nothing here is verified: these are bytes and what they say. `vouchsafe verify` judges them.')]
  const { envelope, items, eventLogs = [], collateral, unread, ignored } = inspection
  if (envelope !== undefined) {
    const { carrier, binding, platformLabel, tlsBound, key } = envelope
    const says = [
      `carrier ${carrier}`,
      `binding ${binding}`,
      ...(platformLabel === undefined ? [] : [`says of itself ${platformLabel}`]),
      ...(tlsBound === undefined ? [] : [`says tls_bound ${tlsBound}`]),
      ...(key === undefined ? [] : [`key sha256:${key.spkiSha256.slice(0, 16)}… under ${safe(key.domain)}`]),
    ]
    out.push(
      wrap(`${says.join(' · ')} · ${items.length} ${items.length === 1 ? 'item' : 'items'}`, '', undefined, '  '),
    )
  }
  const drawn = new Set<string>()
  for (const item of items) out.push('', renderItem(item, full, drawn))
  for (const log of eventLogs) out.push('', renderLog(log, full))
  for (const object of collateral) out.push('', renderCollateral(object, full, drawn))
  if (unread.length > 0) out.push('', bold('Could not be read'), ...unread.map(renderProblem))
  for (const name of ignored) out.push('', dim(`${safe(name)}: neither evidence nor collateral`))
  return out.join('\n')
}

function renderItem(item: ItemView, full: boolean, drawn: Set<string>): string {
  const label = item.architectureLabel === undefined ? '' : `, labelled ${safe(item.architectureLabel)}`
  const out = [bold(`━━ ${item.id}  ${item.kind}  ${item.sizeBytes} bytes${label}`), dim(`   sha256 ${item.sha256}`)]
  for (const problem of item.problems) out.push(renderProblem(problem))
  for (const section of item.sections) out.push('', renderSection(section, full))
  out.push('', bold(`Certificates that travelled with ${item.id}: ${item.certificates.length || 'none'}`))
  if (item.certificates.length > 0) out.push(drawChains(item.certificates, drawn))
  for (const log of item.eventLogs ?? []) out.push('', renderLog(log, full))
  return out.join('\n')
}

const renderLog = (log: EventLogView, full: boolean): string =>
  [renderEventLog(log, full), ...log.problems.map(renderProblem)].join('\n')

function renderProblem({ code, title, path, expected, actual, remedy }: ProblemView): string {
  const found = [
    expected === undefined ? '' : `expected ${expected}`,
    actual === undefined ? '' : `found ${actual}`,
  ].filter((t) => t !== '')
  return [
    wrap(title, `  ${red(bold(code))}  `, undefined, '     '),
    wrap([`at ${path || '/'}`, ...found].join('; '), '     ', undefined, '       '),
    wrap(`remedy  ${remedy}`, '     ', undefined, '             '),
  ].join('\n')
}

const SHOWN_DIGITS = 16
const FULL_DIGITS = 80
/** under the name of a field: behind offset and size */
const MARGIN = ' '.repeat(14)

function renderSection({ title, fields, note }: SectionView, full: boolean): string {
  const nameWidth = Math.max(5, ...fields.map((f) => nameOf(f).length))
  const head = dim(
    `${'offset'.padEnd(8)}${'size'.padStart(4)}  ${'field'.padEnd(nameWidth)}  ${'bytes'.padEnd(SHOWN_DIGITS + 1)}  meaning`,
  )
  const lines = fields.map((f) => renderField(f, nameWidth, full))
  return [bold(title), head, ...lines, ...(note === undefined ? [] : [dim(`  ${note}`)])].join('\n')
}

const nameOf = (f: FieldView): string =>
  f.number === undefined || f.name.startsWith('measurement') ? f.name : `${String(f.number).padStart(2)} ${f.name}`

function renderField(f: FieldView, nameWidth: number, full: boolean): string {
  const isShort = f.hex.length <= SHOWN_DIGITS
  const cell = isShort ? f.hex : `${f.hex.slice(0, SHOWN_DIGITS)}…`
  const start = `${`0x${f.offset.toString(16).padStart(3, '0')}`.padEnd(8)}${String(f.sizeBytes).padStart(4)}  ${nameOf(f).padEnd(nameWidth)}  ${cell.padEnd(SHOWN_DIGITS + 1)}  `
  const first = wrap(safe(f.meaning), start, undefined, ' '.repeat(start.length)).trimEnd()
  const whole =
    full && !isShort
      ? (f.hex.match(new RegExp(`.{1,${FULL_DIGITS}}`, 'g')) ?? []).map((line) => dim(MARGIN + line))
      : []
  const atWidth = Math.max(0, ...f.parts.map((p) => p.at.length))
  const partWidth = Math.max(0, ...f.parts.map((p) => p.name.length))
  const parts = f.parts.map((p) => {
    const prefix = `${MARGIN}${dim(p.at.padEnd(atWidth))}  ${p.name.padEnd(partWidth)}  ${String(p.value).padStart(3)}  `
    return wrap(p.meaning, prefix, undefined, ' '.repeat(visible(prefix)))
  })
  return [first, ...whole, ...parts].join('\n')
}

function renderCollateral(object: CollateralView, full: boolean, drawn: Set<string>): string {
  switch (object.kind) {
    case 'certificates':
      return [
        bold(`━━ ${object.certificates.length} ${object.certificates.length === 1 ? 'certificate' : 'certificates'}`),
        drawChains(object.certificates, drawn),
      ].join('\n')
    case 'crl':
      return renderCrl(object)
    case 'ocsp':
      return renderOcsp(object, drawn)
    case 'rim':
      return renderRim(object, full, drawn)
    case 'intel-document':
      return renderIntelDocument(object, drawn)
  }
}

const row = (name: string, text: string): string =>
  wrap(safe(text), `  ${dim(padEnd(name, 12))}`, undefined, ' '.repeat(14))

const LISTED = 8

function renderCrl(crl: CrlView): string {
  const revoked = crl.revoked.slice(0, LISTED).map((r) => row('', `serial ${r.serial} since ${r.at}`))
  const rest = crl.revoked.length - revoked.length
  return [
    bold('━━ Certificate revocation list'),
    row('sha256', crl.sha256),
    row('issuer', crl.issuer),
    row('number', crl.number ?? 'none'),
    row('valid', `${crl.thisUpdate} to ${crl.nextUpdate ?? 'no end: it cannot be used'}`),
    row('signed with', crl.algorithm),
    ...(crl.criticalExtensions.length === 0 ? [] : [row('critical', crl.criticalExtensions.join(', '))]),
    row('revokes', `${crl.revoked.length || 'no'} ${crl.revoked.length === 1 ? 'certificate' : 'certificates'}`),
    ...revoked,
    ...(rest > 0 ? [row('', `and ${rest} more (--json lists them)`)] : []),
  ].join('\n')
}

function renderOcsp(ocsp: OcspView, drawn: Set<string>): string {
  const answers = ocsp.responses.flatMap((r) => [
    row('answer', `serial ${r.serial}: ${r.status}`),
    row(
      '',
      `from ${r.thisUpdate} to ${r.nextUpdate ?? 'no end: it cannot be used'}; issuer key ${r.issuerKeyHash.slice(0, 16)}… (${r.hash})`,
    ),
  ])
  return [
    bold('━━ OCSP answer'),
    row('sha256', ocsp.sha256),
    row('produced', ocsp.producedAt),
    row('nonce', ocsp.nonce ?? 'none'),
    row('signed with', ocsp.algorithm),
    ...answers,
    ...(ocsp.certificates.length === 0
      ? []
      : [dim('  certificates of the responder'), drawChains(ocsp.certificates, drawn)]),
  ].join('\n')
}

function renderRim(rim: RimView, full: boolean, drawn: Set<string>): string {
  const active = rim.values.filter((v) => v.active)
  const values = active.map((v) => {
    const shown = full ? v.alternatives : v.alternatives.slice(0, 3).map((a) => `${a.slice(0, SHOWN_DIGITS)}…`)
    const more = v.alternatives.length - shown.length
    return row(`index ${v.index}`, `${shown.join(' or ')}${more > 0 ? ` or ${more} more` : ''}`)
  })
  return [
    bold('━━ NVIDIA reference manifest (RIM)'),
    row('sha256', rim.sha256),
    row('name', `${rim.name}, tag ${rim.tagId}`),
    row('for', `${rim.edition} ${rim.product}, version ${rim.version}`),
    row('values', `${active.length} active of ${rim.values.length}; manifest index n is measurement block n + 1`),
    ...values,
    bold('Certificates of the signer'),
    drawChains(rim.certificates, drawn),
  ].join('\n')
}

function renderIntelDocument(document: IntelDocumentView, drawn: Set<string>): string {
  const { id, version, fmspc, pceId, mrSigner, isvProdId, groups, certificates } = document
  const isTcbInfo = document.document === 'tcb-info'
  return [
    bold(isTcbInfo ? '━━ Intel TCB info' : '━━ Intel identity of a quoting enclave'),
    row('sha256', document.sha256),
    row('id', `${id}, version ${version}`),
    ...(fmspc === undefined ? [] : [row('FMSPC', `${fmspc}, PCE id ${pceId}`)]),
    ...(mrSigner === undefined ? [] : [row('MRSIGNER', `${mrSigner}, ISVPRODID ${isvProdId}`)]),
    row('evaluation', `number ${document.tcbEvaluationDataNumber}`),
    row('valid', `${document.issueDate} to ${document.nextUpdate}`),
    ...groups.flatMap(({ of, levels }) => [
      dim(`  levels of the ${of}: ${levels.length || 'none'}`),
      ...levels.map((level) => row('', levelText(level))),
    ]),
    ...(certificates.length === 0
      ? [row('signer', 'its certificate, CN=Intel SGX TCB Signing, is not here: the document cannot be proved')]
      : [bold('Certificates under the name of the signer'), drawChains(certificates, drawn)]),
  ].join('\n')
}

function levelText(level: IntelLevelView): string {
  const { status, tcbDate, isvSvn, sgxTcbComponents, pceSvn, tdxTcbComponents, advisoryIds } = level
  return [
    `${status} since ${tcbDate.slice(0, 10)}`,
    ...(isvSvn === undefined ? [] : [`ISVSVN ${isvSvn}`]),
    ...(sgxTcbComponents === undefined ? [] : [`SGX ${sgxTcbComponents.join(' ')}`]),
    ...(pceSvn === undefined ? [] : [`PCESVN ${pceSvn}`]),
    ...(tdxTcbComponents === undefined ? [] : [`TDX ${tdxTcbComponents.join(' ')}`]),
    ...(advisoryIds.length === 0 ? [] : [advisoryIds.join(' ')]),
  ].join(' · ')
}
