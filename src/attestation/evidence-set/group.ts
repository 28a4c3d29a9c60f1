import { fault } from '../../core/outcome.ts'
import { type GpuClaims, isDeviceClaims, type SwitchClaims } from '../claims.ts'
import { platformHasGpu } from '../envelopes/akash.ts'
import { type EvidenceSet, isCpuKind } from '../evidence.ts'
import type { ItemFault, ProvedItem } from './binding.ts'

/** What was leased or ordered; it decides which kinds must be there, never the evidence. */
export interface Lease {
  readonly id?: string | undefined
  readonly provider?: string | undefined
  readonly teeType: 'cpu' | 'cpu-gpu'
  /** undefined where the lease does not say; a policy that counts against the lease then refuses */
  readonly gpuCount?: number | undefined
  readonly gpuModel?: string | undefined
  /** HOST_DATA that binds the guest to this lease, hex of 32 bytes */
  readonly hostData?: string | undefined
  /** MRCONFIGID that binds the TD to this lease, hex of 48 bytes */
  readonly mrConfigId?: string | undefined
}

/** A PPCIE board as it was proved. */
export interface Topology {
  readonly gpus: readonly string[]
  readonly switches: readonly string[]
}

const PPCIE_GPUS = 8
const PPCIE_SWITCHES = 4

/**
 * What must hold between a set's items whatever the policy: labels are backed by evidence, devices are distinct, and agree
 * on mode and driver. Faults: GPU_COUNT_ZERO · ENV_KIND_MISMATCH · ENV_KIND_WEAKER_THAN_ORDER · ENV_ITEM_DUPLICATE ·
 * GPU_NOT_DISTINCT · GPU_MODE_MIXED · GPU_DRIVER_MIXED
 */
export function judgeMembers(
  set: EvidenceSet,
  proved: readonly ProvedItem[],
  lease: Lease | null,
): readonly ItemFault[] {
  const faults: ItemFault[] = []
  const add = (item: string, ...args: Parameters<typeof fault>) => faults.push({ item, fault: fault(...args) })
  const gpuItems = set.items.filter((i) => i.kind === 'nvidia/gpu-report')
  const cpuItems = set.items.filter((i) => isCpuKind(i.kind))
  if (set.platformLabel !== undefined) {
    const promised = platformHasGpu(set.platformLabel)
    if (promised && gpuItems.length === 0) {
      add('set', 'GPU_COUNT_ZERO', 'gpu_reports', {
        expected: `GPU evidence, as ${set.platformLabel} says`,
        actual: 'none',
      })
    }
    if (!promised && gpuItems.length > 0) {
      add('set', 'ENV_KIND_MISMATCH', 'tee_platform', {
        expected: set.platformLabel,
        actual: `${gpuItems.length} GPU reports`,
      })
    }
  }
  if (
    lease?.teeType === 'cpu-gpu' &&
    gpuItems.length === 0 &&
    (set.platformLabel === undefined || !platformHasGpu(set.platformLabel))
  ) {
    add('set', 'ENV_KIND_WEAKER_THAN_ORDER', 'tee_platform', {
      expected: 'cpu-gpu',
      actual: set.platformLabel ?? 'no GPU evidence',
    })
  }
  for (const extra of cpuItems.slice(1))
    add(extra.id, 'ENV_ITEM_DUPLICATE', extra.id, { expected: 'one CPU report', actual: `${cpuItems.length}` })
  const quotes = set.items.filter((i) => i.kind === 'tpm/quote')
  for (const extra of quotes.slice(1))
    add(extra.id, 'ENV_ITEM_DUPLICATE', extra.id, { expected: 'one TPM quote', actual: `${quotes.length}` })

  const devices = proved.flatMap(({ id, claims }) => (isDeviceClaims(claims) ? [{ id, claims }] : []))
  const holders = new Map<string, string>()
  for (const { id, claims } of devices) {
    for (const [name, serial] of [
      ['ikSerial', claims.ikSerial],
      ['akSerial', claims.akSerial],
    ] as const) {
      const holder = holders.get(`${name} ${serial}`)
      if (holder === undefined) holders.set(`${name} ${serial}`, id)
      else {
        add(id, 'GPU_NOT_DISTINCT', `${id}.${name}`, { expected: `a device other than ${holder}`, actual: serial })
        break
      }
    }
  }
  const gpus = devices.filter((d): d is { id: string; claims: GpuClaims } => d.claims.kind === 'nvidia/gpu-report')
  const [first, ...others] = gpus
  for (const { id, claims } of first === undefined ? [] : others) {
    const mode = first?.claims.featureFlag
    if (claims.featureFlag !== mode) {
      add(id, 'GPU_MODE_MIXED', `${id}.featureFlag`, { expected: mode ?? 'none', actual: claims.featureFlag ?? 'none' })
    }
    if (claims.driverVersion !== first?.claims.driverVersion) {
      add(id, 'GPU_DRIVER_MIXED', `${id}.driverVersion`, {
        expected: first?.claims.driverVersion ?? '',
        actual: claims.driverVersion,
      })
    }
  }
  return faults
}

/**
 * Judges a protected-PCIe board, where switches are in the set: eight GPUs and four switches that name one another, tied to
 * the identities that their certificates prove. Faults: GPU_TOPOLOGY_INCOMPLETE · GPU_TOPOLOGY_MISMATCH ·
 * GPU_TOPOLOGY_IDENTITY · GPU_SWITCH_UNLOCKED · GPU_MODE_MIXED
 * @returns the topology where it holds; neither topology nor faults where the set does not hold both GPUs and switches
 * @see ../shared/spec/nvidia-gpu.md §8
 */
export function judgeTopology(
  set: EvidenceSet,
  proved: readonly ProvedItem[],
): { faults: readonly ItemFault[]; topology: Topology | undefined } {
  const has = (kind: string) => set.items.some((i) => i.kind === kind)
  if (!has('nvidia/switch-report') || !has('nvidia/gpu-report')) return { faults: [], topology: undefined }
  const faults: ItemFault[] = []
  const add = (item: string, ...args: Parameters<typeof fault>) => faults.push({ item, fault: fault(...args) })
  const gpus = proved.flatMap((p) =>
    p.claims.kind === 'nvidia/gpu-report' ? [{ id: p.id, claims: p.claims as GpuClaims }] : [],
  )
  const switches = proved.flatMap((p) =>
    p.claims.kind === 'nvidia/switch-report' ? [{ id: p.id, claims: p.claims as SwitchClaims }] : [],
  )
  const offered = (kind: string) => set.items.filter((i) => i.kind === kind).length
  const counts = { gpus: offered('nvidia/gpu-report'), switches: offered('nvidia/switch-report') }
  if (counts.gpus !== PPCIE_GPUS || counts.switches !== PPCIE_SWITCHES) {
    add('set', 'GPU_TOPOLOGY_INCOMPLETE', 'topology', {
      expected: `${PPCIE_GPUS} GPUs and ${PPCIE_SWITCHES} switches`,
      actual: `${counts.gpus} GPUs and ${counts.switches} switches`,
    })
  }
  for (const { id, claims } of gpus) {
    if (claims.featureFlag !== 'PPCIE')
      add(id, 'GPU_MODE_MIXED', `${id}.featureFlag`, { expected: 'PPCIE', actual: claims.featureFlag ?? 'none' })
  }
  for (const { id, claims } of switches) {
    if (claims.locked !== true)
      add(id, 'GPU_SWITCH_UNLOCKED', `${id}.locked`, {
        expected: 'true',
        actual: String(claims.locked ?? 'not reported'),
      })
    if (claims.devicePdi !== claims.pdi) {
      add(id, 'GPU_TOPOLOGY_IDENTITY', `${id}.devicePdi`, {
        expected: claims.pdi,
        actual: claims.devicePdi ?? 'not reported',
      })
    }
  }
  // A member that is not proved is refused on its own; without its identity there is nothing to compare neighbours with.
  if (gpus.length < counts.gpus || switches.length < counts.switches) return { faults, topology: undefined }
  // The reported neighbours must be exactly the certified members: {IK tails of switches} as every GPU sees them, and back.
  const certified = { gpus: sorted(gpus.map((g) => g.claims.pdi)), switches: sorted(switches.map((s) => s.claims.pdi)) }
  for (const { id, claims } of gpus)
    compare(
      id,
      'switchPdis',
      claims.switchPdis,
      certified.switches,
      switches.map((s) => s.claims.devicePdi ?? ''),
    )
  for (const { id, claims } of switches) compare(id, 'gpuPdis', claims.gpuPdis, certified.gpus, [])
  const positions = switches.map((s) => s.claims.positionId)
  if (new Set(positions).size !== positions.length)
    add('set', 'GPU_TOPOLOGY_MISMATCH', 'topology.positionId', {
      expected: 'four distinct',
      actual: positions.join(', '),
    })
  const complete = gpus.length === PPCIE_GPUS && switches.length === PPCIE_SWITCHES
  return {
    faults,
    topology:
      faults.length === 0 && complete
        ? { gpus: gpus.map((g) => g.id), switches: switches.map((s) => s.id) }
        : undefined,
  }

  function compare(
    id: string,
    field: string,
    seen: readonly string[],
    members: string,
    reported: readonly string[],
  ): void {
    const distinct = sorted([...new Set(seen)])
    if (distinct === members) return
    // Neighbours as the devices themselves report them, while the certificates say otherwise: a borrowed identity.
    const code =
      reported.length > 0 && distinct === sorted(reported) ? 'GPU_TOPOLOGY_IDENTITY' : 'GPU_TOPOLOGY_MISMATCH'
    add(id, code, `${id}.${field}`, { expected: members, actual: distinct })
  }
}

const sorted = (values: readonly string[]): string => [...values].sort().join(', ')
