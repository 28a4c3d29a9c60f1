import { utf8 } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { canonicalJson } from '../../src/core/json.ts'
import {
  type AmdMachineOptions,
  type HclSpec,
  hclReport,
  hclReportData,
  type TpmEvidence,
  type TpmSpec,
  tpmQuote,
} from '../../src/testing/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import {
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  type How,
  judged,
  NONCE,
  type Scene,
  SEED,
} from './stage.ts'

/** A TPM that answers `NONCE`, certified by a maker of ours. */
export const tpm = (spec: TpmSpec = {}): TpmEvidence => tpmQuote(SEED, { nonce: NONCE, ...spec })

const RIGHT = tpm()

/** How a quote is shown. Left out, with certificates and log. */
export interface Shown {
  readonly certificates?: readonly Uint8Array[]
  readonly eventLog?: Uint8Array | null
  readonly members?: JsonObject
}

export const tpmItem = (evidence: TpmEvidence, { certificates, eventLog, members = {} }: Shown = {}): JsonObject => ({
  ...bundleItem(
    'tpm',
    'tpm/quote',
    utf8(canonicalJson({ ...evidence.quote, ...members } as JsonObject)),
    certificates ?? evidence.certificates,
  ),
  ...(eventLog === null ? {} : { eventLog: toBase64(eventLog ?? evidence.eventLog) }),
})

/** A quote beside a CPU that answers the same challenge. */
export function tpmScene(evidence: TpmEvidence, shown: Shown = {}, more: JsonObject = {}): Scene {
  const machine = cpu()
  return {
    evidence: bundle(
      [bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]), tpmItem(evidence, shown)],
      more,
    ),
    collateral: amdCollateral(machine),
    anchors: [...amdAnchors(machine), anchorFromCertificate(evidence.root, 'tpm/root')],
  }
}

/** What the policy of the rows asks of a TPM: the boot loader by value, secure boot, a certified key. */
export const tpmDocument = (rule: JsonObject = {}): JsonObject => ({
  akTrust: ['certificate'],
  revocation: 'none',
  pcrs: { '4': [RIGHT.shown.sha256?.['4'] ?? ''] },
  ...rule,
})
export const tpmPolicy = (rule: JsonObject = {}) => cpuPolicy({}, {}, { tpm: tpmDocument(rule) })

export const judgedTpm = (spec: TpmSpec = {}, how: How = {}, shown: Shown = {}) =>
  judged(tpmScene(tpm(spec), shown), { policy: tpmPolicy(), ...how })

/** An Azure VM: the CPU report covers the runtime data, and the TPM answers with the key named there. */
export interface AzureSpec extends HclSpec {
  /** runtime data that the CPU report covers, where they are others than those sent */
  readonly covered?: HclSpec
  readonly tpm?: TpmSpec
  readonly report?: AmdMachineOptions['report']
  readonly withoutQuote?: boolean
  /** whether the maker of the TPM vouches for the key as well */
  readonly isCertified?: boolean
}

export function azureScene({
  covered,
  tpm: tpmSpec = {},
  report = {},
  withoutQuote = false,
  isCertified = false,
  ...hcl
}: AzureSpec = {}): Scene {
  const machine = cpu({ report: { reportData: hclReportData(covered ?? hcl), ...report } })
  const quote = tpm({ key: 'rsassa', ...tpmSpec })
  const cpuItem = bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table])
  const shown = isCertified ? {} : { certificates: [] }
  return {
    evidence: bundle([
      { ...cpuItem, hclReport: toBase64(hclReport(machine.report, hcl)) },
      ...(withoutQuote ? [] : [tpmItem(quote, shown)]),
    ]),
    collateral: amdCollateral(machine),
    anchors: [...amdAnchors(machine), anchorFromCertificate(quote.root, 'tpm/root')],
  }
}

export const azurePolicy = (rule: JsonObject = {}) => tpmPolicy({ akTrust: ['cpu-report'], ...rule })

export const judgedAzure = (spec: AzureSpec = {}, how: How = {}) =>
  judged(azureScene(spec), { policy: azurePolicy(), ...how })
