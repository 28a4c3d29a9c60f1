import { isCpuKind } from '../attestation/evidence.ts'
import type { Code } from '../core/codes.ts'
import type { Finding } from '../core/outcome.ts'
import type { Decision, ItemDecision } from '../decision/decision.ts'
import type { Layer, LayerState } from './report.ts'

/** Parts of a CPU report, in the order in which one rests on the other. */
const CPU_PARTS = ['evidence', 'certificates', 'tcb', 'configuration'] as const
type CpuPart = (typeof CPU_PARTS)[number]

/** Of which part a finding of a CPU item speaks; the first row that fits. */
const PART_OF: readonly (readonly [CpuPart, RegExp])[] = [
  ['certificates', /^(X509|CRL|OCSP|PEM|DER|COLLATERAL)_/],
  ['certificates', /_(VCEK|PCK|CERT|TCB_INFO|QE_IDENTITY|TCB_SIGNER|COLLATERAL|SIGNER|PLATFORM_KEY)_|_FMSPC_MISMATCH$/],
  ['certificates', /^SNP_(PRODUCT_MISMATCH|CSP_ID_MISMATCH)$/],
  ['tcb', /_(TCB|QE_TCB|FIRMWARE|MODULE|ADVISORY|MITIGATION)_/],
  ['configuration', /^SNP_(POLICY|PLATFORM|CHIP|VMPL|ABI|SVN|HOST_DATA|ID_KEY|REPORT_ID|MEASUREMENT|PRODUCT)_/],
  ['configuration', /_(DEBUG|LIFECYCLE|SEPT_VE_ENABLED|ATTRIBUTE_FORBIDDEN|SERVICE_TD_NOT_ALLOWED|SMT_ENABLED)$/],
  ['configuration', /^(TDX|SGX)_(PLATFORM|MEASUREMENT|WORKLOAD|CONFIG)_/],
]

const partOf = (code: Code): CpuPart => PART_OF.find(([, pattern]) => pattern.test(code))?.[0] ?? 'evidence'

/** Whether the evidence answers us, whatever item it is said of. */
const isFreshness = ({ code }: Finding): boolean => /^BIND_|^GPU_NONCE_/.test(code)

/** What the words of one line say of an item; the caller knows them, since they are for people. */
export type Essence = (item: ItemDecision) => readonly string[]

/**
 * One line per layer of what was judged.
 * @param base the evidence judged alone
 * @param findings what it and the presets have found, each once
 */
export function layersOf(base: Decision, findings: readonly Finding[], essence: Essence): readonly Layer[] {
  const relevant = distinct(findings.filter(({ code }) => code !== 'POLICY_MISSING'))
  const own = (item: ItemDecision) => relevant.filter((f) => f.item === item.id && !isFreshness(f))
  const cpus = base.items.filter(({ kind }) => isCpuKind(kind))
  const devices = base.items.filter(({ kind }) => !isCpuKind(kind))
  const between = relevant.filter((f) => !isFreshness(f) && !base.items.some(({ id }) => id === f.item))
  const collateral = between.filter((f) => f.item === 'collateral')
  const set = between.filter((f) => f.item !== 'collateral')
  if (base.items.length === 0) return [layer('envelope', relevant, ['nothing in it could be judged'])]
  return [
    ...cpus.flatMap((item) => cpuLayers(item, own(item), essence, base.injectedAnchors)),
    ...devices.map((item) => layer(item.id, own(item), essence(item))),
    layer('freshness', relevant.filter(isFreshness), freshnessSeen(base)),
    layer('set', set, [`${base.items.length} ${base.items.length === 1 ? 'item' : 'items'}, each backed and distinct`]),
    ...(collateral.length === 0 ? [] : [layer('collateral', collateral, ['files that were given'])]),
  ]
}

/** Four lines of a CPU; what stands behind one that refused the report as such was not reached. */
function cpuLayers(
  item: ItemDecision,
  findings: readonly Finding[],
  essence: Essence,
  injected: readonly string[],
): readonly Layer[] {
  const [head = '', ...rest] = essence(item)
  const proved = item.claims !== undefined
  return CPU_PARTS.map((part) => {
    const own = findings.filter(({ code }) => partOf(code) === part)
    const seen: Readonly<Record<CpuPart, readonly string[]>> = {
      evidence: [item.kind, head],
      certificates: [injected.length === 0 ? 'chain ends in a pinned root' : 'chain ends in an injected root'],
      tcb: rest.filter((piece) => /^(TCB|TDX module|QE|INTEL-SA)/.test(piece)),
      configuration: rest.filter((piece) => !/^(TCB|TDX module|QE|INTEL-SA)/.test(piece)),
    }
    if (own.length === 0 && !proved && part !== 'evidence') return skipped(`${item.id}.${part}`, 'not reached')
    if (own.length === 0 && !proved) return skipped(`${item.id}.${part}`, 'its signature was not reached')
    return layer(`${item.id}.${part}`, own, seen[part])
  })
}

function freshnessSeen({ challenge }: Decision): readonly string[] {
  return [challenge === undefined ? 'answers the nonce that was given' : `answers our challenge ${challenge.purpose}`]
}

export const skipped = (id: string, because: string): Layer => ({ id, state: 'skip', seen: [because], findings: [] })

/** What was seen is said where it is right; else the codes are. */
export function layer(id: string, findings: readonly Finding[], seen: readonly string[]): Layer {
  const state = stateOf(findings)
  return { id, state, seen: state === 'pass' ? seen : [...new Set(findings.map(({ code }) => code))], findings }
}

/**
 * That nobody asked is no fault of the evidence: the library refuses it all the same, since it must open nothing, and here it
 * is a thing that is missing.
 */
export const isUnasked = ({ code }: Pick<Finding, 'code'>): boolean => code === 'BIND_NOT_CHECKED'

export const stateOf = (findings: readonly Pick<Finding, 'verdict' | 'code'>[]): LayerState =>
  findings.some((f) => f.verdict === 'reject' && !isUnasked(f)) ? 'fail' : findings.length > 0 ? 'missing' : 'pass'

/** Several judgements of the same evidence find the same things; whose rule it was makes no second one of them. */
export function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>()
  return findings.filter(({ code, item, path, expected, actual }) => {
    const key = JSON.stringify([code, item, path, expected, actual])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
