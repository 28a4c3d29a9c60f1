import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { type Fault, fault } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { SnpClaims, SnpTcb } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { SnpReport } from './decode.ts'
import { componentsAbove } from './tcb.ts'

/** A report with what its proved certificates add to it. */
export interface ProvedSnpReport {
  readonly report: SnpReport
  readonly product: AmdProduct
  /** cloud provider of a VLEK */
  readonly cspId: string | undefined
}

/** A proved report in the common vocabulary. */
export function toClaims({ value: { report, product, cspId } }: Authentic<ProvedSnpReport>): SnpClaims {
  return {
    kind: 'amd/snp-report',
    product,
    reportVersion: report.version,
    cpuid: report.cpuid,
    guestSvn: report.guestSvn,
    policy: report.policy,
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    vmpl: report.vmpl,
    currentTcb: report.currentTcb,
    reportedTcb: report.reportedTcb,
    committedTcb: report.committedTcb,
    launchTcb: report.launchTcb,
    platformInfo: report.platformInfo,
    signingKey: report.signingKey,
    authorKeyEnabled: report.authorKeyEnabled,
    maskChipKey: report.maskChipKey,
    reportData: toHex(report.reportData),
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    reportId: toHex(report.reportId),
    reportIdMa: toHex(report.reportIdMa),
    chipId: isZero(report.chipId) ? undefined : toHex(report.chipId),
    cspId,
    currentFirmware: report.currentFirmware,
    committedFirmware: report.committedFirmware,
    launchMitVector: vectorHex(report.launchMitVector),
    currentMitVector: vectorHex(report.currentMitVector),
  }
}

/** Most significant digit first, so that bit 0 is the last digit's lowest. */
const vectorHex = (vector: bigint | undefined): string | undefined => vector?.toString(16).padStart(16, '0')

/**
 * What a proved report says that firmware in order cannot say: a level above the one that runs, or a platform on which the
 * guest's own policy would have forbidden to launch it. No policy of ours is involved.
 * @returns SNP_TCB_INCONSISTENT · SNP_PLATFORM_CONTRADICTS_POLICY; empty for every genuine report
 * @see AMD 56860, TCB_VERSION and SNP_LAUNCH_START
 */
export function contradictions(claims: SnpClaims): readonly Fault[] {
  const { policy, platformInfo, currentTcb } = claims
  const above = (name: string, tcb: SnpTcb) =>
    componentsAbove(tcb, currentTcb).map((c) =>
      fault('SNP_TCB_INCONSISTENT', `report.${name}.${c}`, {
        expected: `at most ${currentTcb[c]}, the running level`,
        actual: `${tcb[c]}`,
      }),
    )
  const platform: readonly (readonly [wrong: boolean, setting: string])[] = [
    [!policy.smtAllowed && platformInfo.smtEnabled, 'smtEnabled'],
    [policy.raplDisabledRequired && !platformInfo.raplDisabled, 'raplDisabled'],
    [policy.ciphertextHidingRequired && !platformInfo.ciphertextHidingDramEnabled, 'ciphertextHidingDramEnabled'],
  ]
  return [
    ...above('reportedTcb', claims.reportedTcb),
    ...above('committedTcb', claims.committedTcb),
    ...platform
      .filter(([wrong]) => wrong)
      .map(([, setting]) => fault('SNP_PLATFORM_CONTRADICTS_POLICY', `report.platformInfo.${setting}`)),
  ]
}
