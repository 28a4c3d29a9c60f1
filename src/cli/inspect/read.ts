import { type CollateralFile, sortCollateral } from '../../attestation/collateral.ts'
import type { Tee } from '../../attestation/dcap/model.ts'
import { readEvidence } from '../../attestation/envelopes/index.ts'
import type { EvidenceItem, EvidenceKind, EvidenceSet } from '../../attestation/evidence.ts'
import { decodeEndorsements } from '../../attestation/nvidia/endorsements.ts'
import { offersInEvidence } from '../../attestation/sev-snp/endorsements.ts'
import { Context, createVerificationCache } from '../../core/context.ts'
import { nodeCrypto } from '../../core/crypto/node.ts'
import { failed, type Outcome, ok } from '../../core/outcome.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { inspectCca, inspectNitro, nitroCertificates } from './cbor-kinds.ts'
import { certificateViews } from './certificates.ts'
import { inspectCollateral } from './collateral.ts'
import { eventLogView, looksLikeEventLog } from './event-log.ts'
import type { EnvelopeView, Inspection, ItemView } from './model.ts'
import { problemOf } from './problems.ts'
import { inspectQuote, pckChainIn } from './quote.ts'
import { inspectSnp, type ReportView } from './snp.ts'
import { inspectGpu, inspectSwitch } from './spdm.ts'
import { inspectTpmPart, inspectTpmQuote, runtimeSection, tpmCertificates } from './tpm.ts'

interface KindView {
  readonly report: (bytes: Uint8Array) => ReportView
  /** certificates that travelled in or with the item, in the order they came, by where they stood */
  readonly certificates: (item: EvidenceItem, context: Context) => Promise<readonly Outcome<readonly Certificate[]>[]>
}

const nvidia = (report: KindView['report']): KindView => ({
  report,
  certificates: async (item, context) => [await besides(item, context)],
})

async function besides(item: EvidenceItem, context: Context): Promise<Outcome<readonly Certificate[]>> {
  const offered = await decodeEndorsements(item, context, 'certificates')
  return offered.ok ? ok(offered.value.certificates) : offered
}

/** A quote has its chain inside; what a carrier puts beside it is shown too, and no judgement looks at that. */
const intel = (tee: Tee): KindView => ({
  report: (bytes) => inspectQuote(tee, bytes),
  certificates: async (item, context) => {
    const inside = pckChainIn(tee, item.bytes)
    const chain = inside === undefined ? [] : [await besides({ ...item, endorsements: [inside] }, context)]
    return [...chain, await besides(item, context)]
  },
})

const KINDS: Readonly<Record<EvidenceKind, KindView>> = {
  'amd/snp-report': {
    report: inspectSnp,
    certificates: async (item, context) => {
      const offered = await offersInEvidence(context, item.endorsements, 'certificates')
      if (!offered.ok) return [offered]
      const { keys, authorities, roots } = offered.value
      return [ok([...[...keys, ...authorities].map((held) => held.value), ...roots])]
    },
  },
  'intel/tdx-quote': intel('TDX'),
  'intel/sgx-quote': intel('SGX'),
  'nvidia/gpu-report': nvidia(inspectGpu),
  'nvidia/switch-report': nvidia(inspectSwitch),
  'aws/nitro': {
    report: inspectNitro,
    certificates: async (item, context) => [await nitroCertificates(item, context)],
  },
  'arm/cca-token': { report: inspectCca, certificates: async () => [] },
  'tpm/quote': {
    report: inspectTpmQuote,
    certificates: async (item, context) => [await tpmCertificates(item, context)],
  },
}

/**
 * Reads evidence in any carrier, or certificates, revocation lists, OCSP answers, manifests and event logs by themselves.
 * @returns the picture, or why the input is neither
 */
export async function inspect(files: readonly CollateralFile[]): Promise<Outcome<Inspection>> {
  // Digests and decoding only: no anchors, and a time that no check asks for.
  const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })
  const read = readEvidence(files)
  // What an item took is shown with it; a log that none took, or that lies here alone, by itself.
  const isLoose = ({ name }: CollateralFile) => !read.ok || read.value.ignored.includes(name)
  const loose = files.filter((file) => isLoose(file) && looksLikeEventLog(file.bytes))
  const logs = await Promise.all(loose.map(({ name, bytes }) => eventLogView(bytes, context, name)))
  const eventLogs = logs.length === 0 ? {} : { eventLogs: logs }
  const others = read.ok ? read.value.collateral : files.filter((file) => !loose.includes(file))
  const sorted = await sortCollateral(context, others, 'verifier')
  const beside = await inspectCollateral(sorted.collateral, context)
  const faults = [...sorted.faults, ...beside.faults]
  const empty = { schema: 'vouchsafe/inspection/1', verified: false, items: [], ...eventLogs, ignored: [] } as const
  if (read.ok) {
    const { set } = read.value
    const ignored = read.value.ignored.filter((name) => !loose.some((file) => file.name === name))
    const items = await Promise.all(set.items.map((item) => itemView(item, context)))
    const envelope = await envelopeView(set, context)
    return ok({ ...empty, envelope, items, collateral: beside.views, unread: faults.map(problemOf), ignored })
  }
  const part = await partView(files, context)
  if (part !== undefined)
    return ok({ ...empty, items: [part], collateral: beside.views, unread: faults.map(problemOf) })
  const [{ code }] = read.faults
  const isAlone = files.length === 1 || code === 'ENV_NOTHING_TO_JUDGE'
  if (beside.views.length > 0 || logs.length > 0) {
    const unread = isAlone ? faults : [...read.faults, ...faults]
    return ok({ ...empty, collateral: beside.views, unread: unread.map(problemOf) })
  }
  // Of both readings the one is told that got further: into a certificate, a list, a manifest.
  const [first, ...more] = faults.filter((f) => f.code !== 'COLLATERAL_UNRECOGNISED')
  const isShapeless = code === 'ENV_NOTHING_TO_JUDGE' || code === 'ENV_UNREADABLE'
  return isShapeless && first !== undefined ? failed([first, ...more]) : read
}

/** One file that is a part of TPM evidence and not the whole. */
async function partView(files: readonly CollateralFile[], context: Context): Promise<ItemView | undefined> {
  const [file, more] = files
  const view = file === undefined || more !== undefined ? undefined : inspectTpmPart(file.bytes)
  if (file === undefined || view === undefined) return undefined
  const sha256 = await context.digestHex('sha256', file.bytes)
  return { id: 'tpm', kind: 'tpm/quote', sizeBytes: file.bytes.length, sha256, ...view, certificates: [] }
}

async function envelopeView(set: EvidenceSet, context: Context): Promise<EnvelopeView> {
  const { carrier, binding, platformLabel, tlsBound, key } = set
  return {
    carrier,
    binding,
    ...(platformLabel === undefined ? {} : { platformLabel }),
    ...(tlsBound === undefined ? {} : { tlsBound }),
    ...(key === undefined
      ? {}
      : { key: { domain: key.domain, spkiSha256: await context.digestHex('sha256', key.spki) } }),
  }
}

async function itemView(item: EvidenceItem, context: Context): Promise<ItemView> {
  const view = KINDS[item.kind]
  const report = view.report(item.bytes)
  const runtime = item.runtimeData === undefined ? undefined : runtimeSection(item.runtimeData)
  const sections = [...report.sections, ...(runtime?.sections ?? [])]
  const problems = [...report.problems, ...(runtime?.problems ?? [])]
  const certificates = await view.certificates(item, context)
  return {
    id: item.id,
    kind: item.kind,
    sizeBytes: item.bytes.length,
    sha256: await context.digestHex('sha256', item.bytes),
    ...(item.architectureLabel === undefined ? {} : { architectureLabel: item.architectureLabel }),
    problems: [...problems, ...certificates.flatMap((part) => (part.ok ? [] : part.faults.map(problemOf)))],
    sections,
    certificates: await certificateViews(
      certificates.flatMap((part) => (part.ok ? part.value : [])),
      context,
    ),
    ...(item.eventLogs === undefined
      ? {}
      : { eventLogs: await Promise.all(item.eventLogs.map((log) => eventLogView(log, context))) }),
  }
}
