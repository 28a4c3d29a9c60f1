import { pointer } from '../core/json.ts'
import { type Fault, fault } from '../core/outcome.ts'
import { MEASUREMENT_MEMBER, PINNING_MEMBERS, pinsLaunch } from './measurement.ts'
import { allowsBoard, allowsHopperOnly, allowsOtherModes } from './nvlink.ts'
import {
  acceptsRisk,
  type CpuRule,
  type GpuRule,
  type Policy,
  type SgxRule,
  type SnpRule,
  type TdxRule,
  type TpmRule,
} from './policy.ts'
import { PPCIE_BOARD_GPUS } from './rules-gpu.ts'
import { BANK_BYTES } from './rules-tpm.ts'

/**
 * What a policy says between its members: rules that exclude one another, risks taken without being named, keys released to
 * nobody in particular.
 * @returns POLICY_UNSATISFIABLE · POLICY_ACKNOWLEDGEMENT_MISSING · POLICY_MEASUREMENT_REQUIRED ·
 * POLICY_PROFILE_NOT_RELEASABLE, each with the pointer of the member to change
 */
export function contradictionsOf(policy: Policy): readonly Fault[] {
  const faults: Faults = []
  for (const [i, rule] of policy.require.cpu.any.entries()) cpu(policy, rule, pointer('/require/cpu/any', i), faults)
  if (typeof policy.require.gpu === 'object') gpu(policy.require.gpu, policy, faults)
  if (policy.require.tpm !== undefined) tpm(policy.require.tpm, faults)
  level(policy, faults)
  keyRelease(policy, faults)
  return faults
}

type Faults = Fault[]

const NAME_SIGNERS = 'referenceValues.signers, whose statements this rests on'

const unsatisfiable = (faults: Faults, path: string, expected: string, actual: string) =>
  faults.push(fault('POLICY_UNSATISFIABLE', path, { expected, actual }))

function cpu(policy: Policy, rule: CpuRule, at: string, faults: Faults): void {
  if (rule.platform === 'amd/snp') snp(policy, rule, at, faults)
  else if (rule.platform === 'intel/tdx') tdx(policy, rule, at, faults)
  else sgx(policy, rule, at, faults)
}

function tdx(policy: Policy, rule: TdxRule, at: string, faults: Faults): void {
  debugging(policy, rule.tdAttributes.debug, `${at}/tdAttributes/debug`, faults)
  // Bits 4 to 6 open the TD to profiling and telemetry of the host, beside what nobody knows yet.
  debugging(
    policy,
    rule.tdAttributes.unknownBits === 'allowed' ? 'allowed' : 'forbidden',
    `${at}/tdAttributes/unknownBits`,
    faults,
  )
  const asked = Object.entries(rule.dstack).find(([, list]) => list !== 'any')
  // Below level 3 no statement is ever demanded, so that signers alone pin nothing.
  const isVouched = policy.referenceValues !== 'none' && policy.require.level >= 3
  if (asked !== undefined && !isVouched && !pinsLaunch(rule)) {
    const expected = `${PINNING_MEMBERS['intel/tdx']}, or referenceValues.signers: any other guest measures what it likes`
    faults.push(
      fault('POLICY_MEASUREMENT_REQUIRED', `${at}/dstack/${asked[0]}`, { expected, actual: 'mrTd or rtmr any' }),
    )
  }
}

function sgx(policy: Policy, rule: SgxRule, at: string, faults: Faults): void {
  if (typeof policy.require.gpu === 'object') {
    const expected = 'no SGX alternative: an enclave measures neither the driver nor the system that owns the GPU'
    unsatisfiable(faults, `${at}/platform`, expected, 'intel/sgx beside rules for GPUs')
  }
  debugging(policy, rule.attributes.debug, `${at}/attributes/debug`, faults)
  if (rule.mrSigner !== 'any' && rule.mrEnclave === 'any' && !pinsLaunch(rule)) {
    const expected = 'isvProdId and minIsvSvn beside mrSigner: a signer alone admits every enclave it ever signed'
    faults.push(fault('POLICY_MEASUREMENT_REQUIRED', `${at}/mrSigner`, { expected, actual: 'mrSigner alone' }))
  }
  if (policy.require.leaseBinding === 'host-data')
    unsatisfiable(faults, '/require/leaseBinding', 'none, as SGX has no field for a lease', 'host-data')
}

function debugging(policy: Policy, debug: 'forbidden' | 'allowed', at: string, faults: Faults): void {
  if (debug !== 'allowed' || policy.profile !== 'production') return
  const expected = '"profile": "development"'
  faults.push(fault('POLICY_ACKNOWLEDGEMENT_MISSING', at, { expected, actual: 'allowed' }))
}

function snp(policy: Policy, rule: SnpRule, at: string, faults: Faults): void {
  const { guestPolicy, platformInfo, signingKeys } = rule
  if (rule.products.includes('Milan') && !acceptsRisk(policy, 'milan-seed-extraction')) {
    const expected = '"milan-seed-extraction" in acceptRisks'
    faults.push(fault('POLICY_ACKNOWLEDGEMENT_MISSING', `${at}/products`, { expected, actual: 'Milan allowed' }))
  }
  debugging(policy, guestPolicy.debug, `${at}/guestPolicy/debug`, faults)
  // Firmware does not launch a guest whose policy the platform breaks, so these pairs never occur together.
  const pairs = [
    [guestPolicy.smt === 'forbidden', 'smtEnabled', 'required', 'guestPolicy.smt is forbidden'],
    [guestPolicy.raplDisabled === 'required', 'raplDisabled', 'forbidden', 'guestPolicy.raplDisabled is required'],
    [
      guestPolicy.ciphertextHiding === 'required',
      'ciphertextHidingDramEnabled',
      'forbidden',
      'guestPolicy.ciphertextHiding is required',
    ],
  ] as const
  for (const [demanded, name, excluded, because] of pairs) {
    if (demanded && platformInfo[name] === excluded) {
      unsatisfiable(faults, `${at}/platformInfo/${name}`, `not ${excluded}, as ${because}`, excluded)
    }
  }
  if (rule.chipIds !== 'any' && !signingKeys.includes('vcek')) {
    unsatisfiable(faults, `${at}/chipIds`, 'vcek in signingKeys: a VLEK belongs to no chip', signingKeys.join(', '))
  }
  if (rule.cspIds !== 'any' && !signingKeys.includes('vlek')) {
    unsatisfiable(faults, `${at}/cspIds`, 'vlek in signingKeys: a VCEK names no operator', signingKeys.join(', '))
  }
}

function gpu(rule: GpuRule, policy: Policy, faults: Faults): void {
  const at = '/require/gpu'
  const vouched = policy.referenceValues !== 'none'
  if (rule.binding === 'measured-guest' && !vouched) unsatisfiable(faults, `${at}/binding`, NAME_SIGNERS, 'none')
  if (rule.devtools === 'excluded' && rule.binding === 'shared-nonce') {
    // A shared nonce does not tie the reports to the guest that vouches for its driver.
    unsatisfiable(faults, `${at}/devtools`, 'binding measured-guest, as devtools is excluded', rule.binding)
  }
  if (rule.devtools === 'excluded' && !vouched) unsatisfiable(faults, `${at}/devtools`, NAME_SIGNERS, 'none')
  if (rule.binding === 'tdisp' && rule.models !== 'any' && allowsHopperOnly(rule)) {
    unsatisfiable(faults, `${at}/binding`, 'a model that can do TDISP', rule.models.join(', '))
  }
  if (allowsBoard(rule) || rule.count === 'lease') return
  if (!allowsOtherModes(rule)) {
    unsatisfiable(faults, `${at}/count`, `${PPCIE_BOARD_GPUS}, the GPUs of a PPCIE board`, String(rule.count))
  } else if (rule.count > 1 && allowsHopperOnly(rule) && !acceptsRisk(policy, 'plain-nvlink')) {
    const expected = `1 GPU, ${PPCIE_BOARD_GPUS} with PPCIE in modes, or "plain-nvlink" in acceptRisks`
    unsatisfiable(
      faults,
      `${at}/${rule.count === PPCIE_BOARD_GPUS ? 'modes' : 'count'}`,
      expected,
      `${rule.count} Hopper GPUs`,
    )
  }
}

function tpm(rule: TpmRule, faults: Faults): void {
  const at = '/require/tpm'
  for (const [index, values = []] of Object.entries(rule.pcrs)) {
    const wrong = values.find((value) => value.length !== 2 * BANK_BYTES[rule.bank])
    if (wrong !== undefined)
      unsatisfiable(
        faults,
        `${at}/pcrs/${index}`,
        `values of ${BANK_BYTES[rule.bank]} bytes, as ${rule.bank} has`,
        wrong,
      )
  }
  if (rule.akTrust.every((by) => by === 'pinned') && rule.akNames === 'any')
    unsatisfiable(faults, `${at}/akNames`, 'names of attestation keys, as akTrust says pinned', 'any')
  if (rule.akTrust.every((by) => by === 'cpu-report') && rule.gceProjects !== 'any')
    unsatisfiable(faults, `${at}/gceProjects`, 'certificate in akTrust: nothing else names a project', 'cpu-report')
  if (Object.keys(rule.pcrs).length === 0 && rule.secureBoot === 'any') {
    const expected = 'values of a PCR, or secureBoot required: a quote of nothing in particular proves nothing'
    faults.push(fault('POLICY_MEASUREMENT_REQUIRED', `${at}/pcrs`, { expected, actual: 'none' }))
  }
}

function level({ require: { level: required, cpu }, referenceValues }: Policy, faults: Faults): void {
  if (referenceValues !== 'none') return
  const open = cpu.any.find((rule) => !pinsLaunch(rule))
  if (required >= 4) unsatisfiable(faults, '/require/level', NAME_SIGNERS, String(required))
  else if (required === 3 && open !== undefined) {
    const members = PINNING_MEMBERS[open.platform]
    const expected = `${members} in alternative ${cpu.any.indexOf(open) + 1}, or referenceValues.signers: nothing else says what is measured`
    unsatisfiable(faults, '/require/level', expected, String(required))
  }
}

function keyRelease(policy: Policy, faults: Faults): void {
  const { keyRelease: release, referenceValues, require } = policy
  if (release === 'none') return
  if (policy.profile === 'development') {
    faults.push(
      fault('POLICY_PROFILE_NOT_RELEASABLE', '/keyRelease', {
        expected: '"profile": "production"',
        actual: 'development',
      }),
    )
  }
  if (release.minLevel < 5 && !acceptsRisk(policy, 'open-quote-oracle')) {
    const expected = '5, or "open-quote-oracle" in acceptRisks'
    faults.push(fault('POLICY_ACKNOWLEDGEMENT_MISSING', '/keyRelease/minLevel', { expected, actual: release.minLevel }))
  }
  if (referenceValues !== 'none') return
  const open = require.cpu.any.find((rule) => !pinsLaunch(rule))
  if (open !== undefined) {
    const expected = `${PINNING_MEMBERS[open.platform]}, or referenceValues.signers who vouch for what is launched`
    const at = `/require/cpu/any/${require.cpu.any.indexOf(open)}/${MEASUREMENT_MEMBER[open.platform]}`
    faults.push(fault('POLICY_MEASUREMENT_REQUIRED', at, { expected, actual: 'any' }))
  } else if (release.minLevel > 3) unsatisfiable(faults, '/keyRelease/minLevel', NAME_SIGNERS, String(release.minLevel))
}
