import type { TpmClaims } from '../attestation/claims.ts'
import type { NotChecked } from '../attestation/kind.ts'
import { type AppraisalFault, type AppraisalSubject, type AppraisedItem, type Report, reportFor } from './appraisal.ts'
import { listed, oneOfMany } from './appraise-dcap.ts'
import { appraiseRevocation } from './appraise-revocation.ts'
import type { Policy, TpmRule } from './policy.ts'

const AT = '/require/tpm'

type Quote = AppraisedItem & { readonly claims: TpmClaims }
const isQuote = (item: AppraisedItem): item is Quote => item.claims.kind === 'tpm/quote'

/**
 * Holds TPM quotes against the rules for a TPM, where the policy has some: who vouches for the key, PCR values of the one bank,
 * secure boot, clock and counters. A policy with such rules is met by no evidence without a proved quote. A key that answers the
 * challenge in place of the CPU is relied on for freshness, whatever else the policy asks: whoever may choose report data once
 * could choose such a key, and answer for ever. So the policy must name `cpu-report`.
 * Codes: TPM_QUOTE_MISSING · TPM_AK_UNTRUSTED · TPM_PCR_NOT_QUOTED · TPM_PCR_VALUE_UNKNOWN · TPM_SECURE_BOOT_OFF ·
 * TPM_CLOCK_ROLLBACK · CRL_MISSING and what the lists' own faults say
 */
export function appraiseTpm({ require: { tpm } }: Policy, subject: AppraisalSubject): readonly AppraisalFault[] {
  const faults: AppraisalFault[] = []
  if (tpm === undefined) {
    for (const id of subject.tpm.bound)
      reportFor(id, AT, faults)('TPM_AK_UNTRUSTED', 'ak', '', {
        expected: 'akTrust with cpu-report, since this key answers in place of the CPU',
        actual: 'no rules for a TPM',
      })
    return faults
  }
  if (!subject.presented.some(({ kind }) => kind === 'tpm/quote'))
    reportFor('set', AT, faults)('TPM_QUOTE_MISSING', 'tpm', '', { expected: 'a TPM quote', actual: 'none' })
  for (const quote of subject.items.filter(isQuote)) {
    const report = reportFor(quote.id, AT, faults)
    key(tpm, quote, subject, report)
    pcrs(tpm, quote.claims, report)
    secureBoot(tpm, quote.claims, report)
    clock(tpm, quote.claims, subject, report)
  }
  return faults
}

/** What a quote says and no rule of the policy asks. */
export const tpmNotChecked = ({ require: { tpm } }: Policy, { presented }: AppraisalSubject): readonly NotChecked[] =>
  tpm !== undefined
    ? []
    : presented.flatMap(({ id, kind }) =>
        kind === 'tpm/quote'
          ? [{ what: `${id}: PCR values, secure boot and clock`, because: 'the policy has no rules for a TPM' }]
          : [],
      )

const knownOf = ({ ak: { name } }: TpmClaims, { tpm }: AppraisalSubject) =>
  tpm.known.find((known) => known.akName === name)

function key(rule: TpmRule, quote: Quote, subject: AppraisalSubject, report: Report): void {
  const { id, claims } = quote
  const { name, certificate } = claims.ak
  const isPinned = name !== undefined && rule.akNames !== 'any' && rule.akNames.includes(name)
  const vouching = {
    activated: knownOf(claims, subject)?.activated === true,
    certificate: certificate !== undefined,
    'cpu-report': subject.tpm.bound.includes(id),
    pinned: isPinned,
  }
  const isReliedOn = vouching['cpu-report']
    ? rule.akTrust.includes('cpu-report')
    : rule.akTrust.some((by) => vouching[by])
  // A key that the CPU report denies was told, and by its better name.
  if (!isReliedOn && !subject.tpm.refused.includes(id)) {
    const found = Object.entries(vouching).flatMap(([by, holds]) => (holds ? [by] : []))
    report('TPM_AK_UNTRUSTED', 'ak', '/akTrust', {
      expected: rule.akTrust.join(' | '),
      actual: found.join(', ') || 'nothing',
    })
  }
  if (rule.akNames !== 'any' && !isPinned)
    report('TPM_AK_UNTRUSTED', 'ak.name', '/akNames', {
      expected: oneOfMany(rule.akNames),
      actual: name ?? 'not shown',
    })
  const project = certificate?.instance?.projectId ?? ''
  if (!listed(rule.gceProjects, project))
    report('TPM_AK_UNTRUSTED', 'ak.certificate.instance.projectId', '/gceProjects', {
      expected: oneOfMany(rule.gceProjects),
      actual: project || 'none',
    })
  const restsOnCertificate = rule.akTrust.includes('certificate') || rule.gceProjects !== 'any'
  if (rule.revocation === 'required' && certificate !== undefined && restsOnCertificate)
    appraiseRevocation(quote, 'tpm-maker', 'CRL_MISSING', '/revocation', report)
}

function pcrs(rule: TpmRule, claims: TpmClaims, report: Report): void {
  const values = claims.pcrs.find((p) => p.bank === rule.bank)?.values ?? []
  for (const [index, list] of Object.entries(rule.pcrs)) {
    if (list === undefined) continue
    const value = values.find((v) => String(v.index) === index)?.value
    const [claim, member] = [`pcrs.${rule.bank}.${index}`, `/pcrs/${index}`]
    if (value === undefined)
      report('TPM_PCR_NOT_QUOTED', claim, member, { expected: `PCR ${index} of ${rule.bank}`, actual: 'not quoted' })
    else if (!list.includes(value))
      report('TPM_PCR_VALUE_UNKNOWN', claim, member, { expected: oneOfMany(list), actual: value })
  }
}

function secureBoot(rule: TpmRule, { eventLog }: TpmClaims, report: Report): void {
  if (rule.secureBoot === 'any' || eventLog?.secureBoot === true) return
  const actual = eventLog === undefined ? 'no event log' : eventLog.secureBoot === false ? 'off' : 'not measured'
  report('TPM_SECURE_BOOT_OFF', 'eventLog.secureBoot', '/secureBoot', { expected: 'on', actual })
}

function clock(rule: TpmRule, claims: TpmClaims, subject: AppraisalSubject, report: Report): void {
  const back = (claim: string, member: string, expected: string, actual: string | number): void =>
    report('TPM_CLOCK_ROLLBACK', claim, member, { expected, actual })
  if (rule.clock === 'safe' && !claims.clockSafe) back('clockSafe', '/clock', 'true', 'false')
  if (claims.resetCount < rule.minResetCount)
    back('resetCount', '/minResetCount', `at least ${rule.minResetCount}`, claims.resetCount)
  const known = knownOf(claims, subject)
  if (known === undefined) {
    if (rule.counters === 'known') back('resetCount', '/counters', 'a key that was seen before', 'never seen')
  } else if (claims.resetCount < known.resetCount) {
    back('resetCount', '/counters', `at least ${known.resetCount}, as seen before`, claims.resetCount)
  } else if (claims.resetCount === known.resetCount && claims.restartCount < known.restartCount) {
    back('restartCount', '/counters', `at least ${known.restartCount}, as seen before`, claims.restartCount)
  }
}
