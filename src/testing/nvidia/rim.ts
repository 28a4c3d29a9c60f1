import { ARCHITECTURES, type NvidiaArchitecture, type RimKind } from './architectures.ts'
import type { Fault } from './fault.ts'
import type { NvidiaTestPki } from './pki.ts'
import { BOARDS } from './report.ts'
import { type RimContent, rimContent } from './rim-document.ts'
import { RIM_CONTENT_FAULTS } from './rim-faults-content.ts'
import { RIM_KEY_FAULTS } from './rim-faults-key.ts'
import { RIM_REFERENCE_FAULTS } from './rim-faults-reference.ts'
import { RIM_SIGNATURE_FAULTS } from './rim-faults-signature.ts'
import { RIM_WRAPPING_FAULTS } from './rim-faults-wrapping.ts'
import { RIM_XML_FAULTS } from './rim-faults-xml.ts'
import type { RimChain } from './rim-pki.ts'
import { plainPlan, type RimPlan } from './rim-plan.ts'

/** Everything that can be wrong in one manifest. It is validly signed unless the fault is the signature or comes after it. */
export const RIM_FAULTS = {
  ...RIM_CONTENT_FAULTS,
  ...RIM_XML_FAULTS,
  ...RIM_SIGNATURE_FAULTS,
  ...RIM_REFERENCE_FAULTS,
  ...RIM_KEY_FAULTS,
  ...RIM_WRAPPING_FAULTS,
} as const satisfies Record<string, Fault<RimPlan>>

/** Names of the faults of `RIM_FAULTS`. */
export type RimFault = keyof typeof RIM_FAULTS

export interface RimSpec {
  readonly pki: NvidiaTestPki
  readonly kind: RimKind
  /** Hopper unless given, LS10 for a switch BIOS. */
  readonly architecture?: NvidiaArchitecture
  /** Firmware version; golden values follow from it and the seed. */
  readonly version: string
  /** Signer and chain; the seed's own unless given. */
  readonly chain?: RimChain
  /** Changes the content before it is signed. */
  readonly content?: (content: RimContent) => RimContent
  /** Any change to the making; applied before `wrong`. */
  readonly plan?: (plan: RimPlan) => RimPlan
  readonly wrong?: RimFault | undefined
}

/** A signed manifest. */
export interface Rim {
  /** Id under which NVIDIA's service would publish it. */
  readonly id: string
  readonly bytes: Uint8Array
  /** The certificates the manifest was made with, also where a fault left some of them out. */
  readonly chain: RimChain
}

/** A reference manifest in NVIDIA's shape, with an enveloped XML signature. The same specification gives the same bytes. */
export function rim(spec: RimSpec): Rim {
  const { pki, kind, version } = spec
  const architecture = spec.architecture ?? (kind === 'switch-bios' ? 'ls10' : 'hopper')
  const content = rimContent({ seed: pki.seed, architecture, kind, version })
  const plain = plainPlan({
    pki,
    kind,
    architecture,
    chain: spec.chain ?? pki.rimChain({ architecture }),
    content: spec.content?.(content) ?? content,
  })
  const edited = spec.plan?.(plain) ?? plain
  const fault: Fault<RimPlan> | undefined = spec.wrong === undefined ? undefined : RIM_FAULTS[spec.wrong]
  const plan = fault?.apply(edited) ?? edited
  return {
    id: rimId({ kind, architecture, version }),
    bytes: plan.encode(plan.after(plan.build(plan))),
    chain: plan.chain,
  }
}

export interface RimIdParts {
  readonly kind: RimKind
  readonly architecture: NvidiaArchitecture
  readonly version: string
  readonly project?: string
  readonly projectSku?: string
  readonly chipSku?: string
}

/** Id of a manifest at NVIDIA's service, e.g. `NV_GPU_DRIVER_GH100_550.144.03`. Board facts of `BOARDS` unless given. */
export function rimId(of: RimIdParts): string {
  const { product } = ARCHITECTURES[of.architecture]
  const packed = of.version.replaceAll('.', '').toUpperCase()
  if (of.kind === 'switch-bios') return `NV_SWITCH_BIOS_5612_0002_890_${packed}`
  if (of.kind === 'driver') {
    return of.architecture === 'hopper'
      ? `NV_GPU_DRIVER_${product}_${of.version}`
      : `NV_GPU_CC_DRIVER_${product}_${of.version}`
  }
  if (of.architecture === 'ls10') throw new TypeError('a switch has no VBIOS manifest')
  const board = { ...BOARDS[of.architecture], ...of }
  return `NV_GPU_VBIOS_${board.project}_${board.projectSku}_${board.chipSku}_${packed}`.toUpperCase()
}
