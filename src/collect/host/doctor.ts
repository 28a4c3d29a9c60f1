import { verdictOf } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { type Check, skipped } from './check.ts'
import { checkCluster } from './cluster/checks.ts'
import { checkCpu, checkTpm, type HostRole } from './cpu.ts'
import { HostFiles } from './files.ts'
import { checkGpus, GPU_LIMITS, type GpuLimits } from './gpu.ts'
import { askVendors, checkTime, checkTimeKeeping, VENDOR_SERVICES, type VendorService } from './vendors.ts'

export interface DoctorOptions {
  /** where the file system begins */
  readonly root: string
  readonly now: UnixSeconds
  readonly builtAt: UnixSeconds
  /** asks no vendor for anything */
  readonly offline: boolean
  readonly kubeconfig: string | undefined
  readonly nvml: string | undefined
  readonly limits?: GpuLimits
  readonly vendors?: readonly VendorService[]
}

export interface HostReport {
  readonly role: HostRole
  /** `reject`: tenants would refuse the evidence · `inconclusive`: there is none to be had, or it is not known */
  readonly verdict: 'ok' | 'reject' | 'inconclusive'
  readonly checks: readonly Check[]
}

/**
 * Looks at the machine itself, without evidence: what it could prove, and what stands in the way. Asks nothing of the machine
 * that would change it.
 */
export async function examineHost(options: DoctorOptions): Promise<HostReport> {
  const files = new HostFiles(options.root)
  const [{ role, checks: cpu }, tpm, gpus, keeping, vendors, cluster] = await Promise.all([
    checkCpu(files),
    checkTpm(files),
    checkGpus(files, options.limits ?? GPU_LIMITS, options.nvml),
    checkTimeKeeping(files),
    options.offline ? [] : askVendors(options.vendors ?? VENDOR_SERVICES),
    checkCluster(options.kubeconfig),
  ])
  const dates = vendors.flatMap(({ date }) => (date === undefined ? [] : [date]))
  const checks = [
    ...cpu,
    tpm,
    ...gpus,
    checkTime(options.now, options.builtAt, dates),
    keeping,
    ...(options.offline ? [skipped('vendors', '--offline: no vendor was asked')] : vendors.map(({ check }) => check)),
    ...cluster,
  ]
  return { role, verdict: verdictOfChecks(checks), checks }
}

function verdictOfChecks(checks: readonly Check[]): HostReport['verdict'] {
  const verdicts = checks.flatMap((check) => (check.state === 'wrong' ? [verdictOf(check.fault)] : []))
  if (verdicts.includes('reject')) return 'reject'
  return verdicts.length > 0 ? 'inconclusive' : 'ok'
}
