import type {
  Claims,
  DeviceClaims,
  EventLogClaims,
  SgxClaims,
  SnpTcb,
  TcbLevelClaims,
  TdxClaims,
} from '../attestation/claims.ts'
import type { Finding } from '../core/outcome.ts'
import { type Decision, LEVEL_NAMES } from '../decision/decision.ts'
import { explained } from './faults.ts'
import { bold, dim, flow, layerWord, padEnd, safe, verdictWord, wrap } from './style.ts'

export const tcbText = (tcb: SnpTcb): string =>
  `${tcb.fmc === undefined ? '' : `fmc=${tcb.fmc} `}bl=${tcb.bootloader} tee=${tcb.tee} snp=${tcb.snp} ucode=${tcb.microcode}`

/** What a line of a table says of a proved item. */
export function essence(claims: Claims): readonly string[] {
  switch (claims.kind) {
    case 'amd/snp-report': {
      const chip = claims.chipId === undefined ? 'chip id masked' : `chip ${claims.chipId.slice(0, 8)}…`
      return [
        claims.product,
        chip,
        `TCB ${tcbText(claims.reportedTcb)}`,
        `signed by ${claims.signingKey.toUpperCase()}`,
      ]
    }
    case 'intel/tdx-quote':
      return [...dcap(claims), `MRTD ${claims.mrTd.slice(0, 8)}…`, ...eventLog(claims.eventLog)]
    case 'intel/sgx-quote':
      return [...dcap(claims), `MRENCLAVE ${claims.mrEnclave.slice(0, 8)}…`]
    case 'nvidia/gpu-report':
      return [
        claims.model ?? claims.hwModel,
        `driver ${claims.driverVersion}`,
        `VBIOS ${claims.vbiosVersion}`,
        `mode ${claims.featureFlag ?? 'not reported'}`,
        measurements(claims),
      ]
    case 'nvidia/switch-report':
      return [claims.hwModel, `BIOS ${claims.biosVersion}`, measurements(claims)]
    case 'aws/nitro':
      return [claims.moduleId, `PCR0 ${claims.pcrs[0]?.value.slice(0, 8)}…`]
    case 'tpm/quote':
      return [
        claims.ak.certificate === undefined
          ? 'key nobody certified'
          : `key certified by ${claims.ak.certificate.manufacturer}`,
        `PCRs ${claims.pcrs.map((p) => `${p.bank}:${p.values.map((v) => v.index).join(',')}`).join(' ')}`,
        ...(claims.eventLog === undefined ? [] : [`event log: ${claims.eventLog.events.length} events`]),
      ]
    case 'arm/cca-token':
      return [`platform ${claims.instanceId.slice(0, 10)}…`, `RIM ${claims.initialMeasurement.slice(0, 8)}…`]
  }
}

/** Platform and its TCB; module and quoting enclave by themselves where they have another status than the best. */
function dcap({ pck, tcb }: TdxClaims | SgxClaims): readonly string[] {
  const machine = [`FMSPC ${pck.fmspc}`, `platform ${pck.ppid.slice(0, 8)}…`]
  if (tcb === undefined) return [...machine, 'TCB not judged']
  const apart = (what: string, level: TcbLevelClaims | undefined) =>
    level === undefined || level.status === 'UpToDate' ? [] : [`${what} ${level.status} of ${day(level.tcbDate)}`]
  return [
    ...machine,
    `TCB ${tcb.status} of ${day(tcb.tcbDate)}, evaluation ${tcb.tcbEvaluationDataNumber}`,
    ...apart('TDX module', tcb.module),
    ...apart('QE', tcb.qe),
    ...(tcb.advisoryIds.length === 0 ? [] : [tcb.advisoryIds.join(' ')]),
  ]
}

const day = (time: string): string => time.slice(0, 10)

function eventLog(log: EventLogClaims | undefined): readonly string[] {
  if (log === undefined) return []
  const events = log.registers.reduce((sum, register) => sum + register.events, 0)
  return [`event log: ${log.form}, ${events} ${events === 1 ? 'event' : 'events'}`]
}

function measurements(claims: DeviceClaims): string {
  const m = claims.measurements
  if (m.status === 'unavailable') return 'measurements not compared'
  const indexes = m.skipped.map((s) => s.index).join(', ')
  const skipped = m.skipped.length === 0 ? '' : `, ${m.skipped.length} skipped (index ${indexes})`
  return `${m.matched.length} measurements match, ${m.mismatched.length} differ${skipped}`
}

/** The decision for people: the answer, one line per layer, the first failures expanded, what was not looked at. */
export function renderDecision(decision: Decision, explainAll: boolean): string {
  const out = [headline(decision)]
  if (decision.injectedAnchors.length > 0) {
    const anchors = decision.injectedAnchors.join(', ')
    out.push(
      wrap(safe(`Rests on trust anchors that the caller injected (${anchors}): this decision opens nothing.`), ''),
    )
  }
  out.push('', ...layers(decision))
  if (decision.policy !== null)
    out.push(flow([safe(decision.policy.name), dim(decision.policy.digest)], padEnd('policy', 11)))
  if (decision.topology !== undefined) out.push('', renderTopology(decision.topology))
  if (decision.findings.length > 0) out.push('', ...reasons(decision, explainAll))
  if (explainAll) out.push(...deficits(decision))
  if (decision.notChecked.length > 0) {
    out.push('', bold('Not checked'))
    const lines = decision.notChecked.map((n) => wrap(safe(`${n.what}: ${n.because}`), '  ', undefined, '    '))
    out.push(...new Set(lines))
  }
  if (decision.statements.length > 0) {
    out.push('', bold('Resting on statements of others'))
    for (const s of decision.statements)
      out.push(
        wrap(
          safe(`${s.guarantee} by ${s.signer} for ${s.referenceValue} until ${s.validUntil}`),
          '  ',
          undefined,
          '    ',
        ),
      )
  }
  if (decision.acceptedRisks.length > 0) out.push('', `Accepted risks: ${decision.acceptedRisks.join(', ')}`)
  const until = decision.verdict === 'accept' ? `, valid until ${decision.validUntil}` : ''
  out.push('', dim(`judged at ${decision.decidedAt}${until}`), dim(`evidence ${decision.evidenceDigest}`))
  return out.join('\n')
}

const headline = (decision: Decision): string =>
  flow(
    [
      bold(verdictWord(decision.verdict)),
      `level ${decision.level} (${LEVEL_NAMES[decision.level]})`,
      `GPU binding: ${decision.gpuBinding}`,
      `physical: ${decision.physical}`,
    ],
    '',
  )

const line = (id: string, kind: string, word: string, pieces: readonly string[]): string =>
  flow(pieces.map(safe), `${padEnd(safe(id), 10)} ${padEnd(kind, 21)} ${word}  `)

/** One line per item, and one for what does not hold between them. */
export function layers(decision: Decision): string[] {
  const items = decision.items.map((item) =>
    line(
      item.id,
      item.kind,
      layerWord(item.verdict),
      item.claims === undefined ? ['not proved'] : essence(item.claims),
    ),
  )
  const between = decision.findings.filter((f) => !decision.items.some((i) => i.id === f.item))
  const worst = between.some((f) => f.verdict === 'reject') ? 'reject' : 'inconclusive'
  const codes = [...new Set(between.map((f) => f.code))]
  const set = between.length === 0 ? [] : [line('set', 'between the items', layerWord(worst), codes)]
  return [...items, ...set]
}

/** What several items have alike is one thing to read and one thing to do. */
interface Shared {
  readonly finding: Finding
  readonly items: readonly string[]
}

/** Findings that say the same of several items, once; in the order of their first. */
export function shared(findings: readonly Finding[]): readonly Shared[] {
  const groups = new Map<string, { readonly finding: Finding; readonly items: string[] }>()
  for (const f of findings) {
    const key = JSON.stringify([f.code, f.path, f.expected, f.actual, f.source])
    const group = groups.get(key) ?? { finding: f, items: [] }
    groups.set(key, group)
    if (f.item !== 'set' && !f.path.startsWith(f.item)) group.items.push(f.item)
  }
  return [...groups.values()]
}

const FIRST = 4

function reasons(decision: Decision, explainAll: boolean): string[] {
  const refusals = shared(decision.findings.filter((f) => f.verdict === 'reject'))
  const missing = shared(decision.findings.filter((f) => f.verdict === 'inconclusive'))
  const room = explainAll ? Number.POSITIVE_INFINITY : FIRST
  return [
    ...group('Why it was refused', refusals, room),
    ...group(
      refusals.length === 0 ? 'What is missing' : 'Missing besides',
      missing,
      Math.max(0, room - refusals.length),
    ),
  ]
}

/** The first `room` findings in full, the codes of the rest. */
function group(title: string, findings: readonly Shared[], room: number): string[] {
  if (findings.length === 0) return []
  const shown = findings.slice(0, room)
  const rest = findings.slice(shown.length)
  const out = [bold(title), ...shown.map(({ finding, items }) => explained(finding, items))]
  if (rest.length === 0) return out
  const more = [...new Set(rest.map(({ finding }) => finding.code))].join(', ')
  return [
    ...out,
    wrap(`${shown.length === 0 ? '' : 'and '}${rest.length} more: ${more}`, '  ', undefined, '    '),
    dim('  --explain shows all of them'),
  ]
}

/** What keeps Intel machines below a better TCB level, whether or not the policy accepts the one they have. */
function deficits({ items }: Decision): string[] {
  const lines = items.flatMap(({ id, claims }) =>
    (claims !== undefined && 'tcb' in claims ? (claims.tcb?.deficits ?? []) : []).map(
      ({ component, actual, required, raisedBy }) =>
        wrap(safe(`${id}  ${component} ${actual}, needs ${required} (${raisedBy})`), '  ', undefined, '    '),
    ),
  )
  return lines.length === 0 ? [] : ['', bold('Short of a better TCB level'), ...lines]
}

/** A protected-PCIe board: every GPU to every switch, as their certified identities prove it. */
function renderTopology(topology: NonNullable<Decision['topology']>): string {
  const { gpus, switches } = topology
  const width = 10
  const head = `  ${''.padEnd(width)}${switches.map((s) => s.padEnd(width)).join('')}`.trimEnd()
  const rows = gpus.map((g) => `  ${g.padEnd(width)}${switches.map(() => '──●'.padEnd(width)).join('')}`.trimEnd())
  return [bold('Protected PCIe board: every link ends in a certified device of this set'), head, ...rows].join('\n')
}
