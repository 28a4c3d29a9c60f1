import type { JsonObject } from '../../core/json.ts'
import { SNP_REPORT_FIELDS, type SnpFieldName } from './report.ts'

/**
 * A report as Confidential Containers' guests send it: taken apart into the members of the Rust crate `sev`, with the
 * certificates beside it. Version 3 and later; numbers above 2^53 do not survive JSON and are refused here.
 * @param certificates DER, each with the crate's name for it
 */
export function cocoSnpEvidence(
  report: Uint8Array,
  certificates: readonly { readonly type: 'VCEK' | 'VLEK' | 'ASK' | 'ARK'; readonly der: Uint8Array }[],
): JsonObject {
  const bytes = (name: SnpFieldName): readonly number[] => {
    const [offset, size] = SNP_REPORT_FIELDS[name]
    return [...report.subarray(offset, offset + size)]
  }
  const number = (name: SnpFieldName): number => {
    const value = bytes(name).reduceRight((high, low) => high * 256 + low, 0)
    if (!Number.isSafeInteger(value)) throw new TypeError(`${name} is too large for JSON`)
    return value
  }
  const isTurin = bytes('cpuidFamId')[0] === 0x1a
  const tcb = (name: SnpFieldName): JsonObject => {
    const [a = 0, b = 0, c = 0, d = 0, , , g = 0, microcode = 0] = bytes(name)
    return isTurin
      ? { fmc: a, bootloader: b, tee: c, snp: d, microcode }
      : { fmc: null, bootloader: a, tee: b, snp: g, microcode }
  }
  const version = (build: SnpFieldName, minor: SnpFieldName, major: SnpFieldName): JsonObject => ({
    ...{ build: number(build), minor: number(minor), major: number(major) },
  })
  return {
    attestation_report: {
      version: number('version'),
      guest_svn: number('guestSvn'),
      policy: number('policy'),
      family_id: bytes('familyId'),
      image_id: bytes('imageId'),
      vmpl: number('vmpl'),
      sig_algo: number('signatureAlgo'),
      current_tcb: tcb('currentTcb'),
      plat_info: number('platformInfo'),
      key_info: number('keyInfo'),
      report_data: bytes('reportData'),
      measurement: bytes('measurement'),
      host_data: bytes('hostData'),
      id_key_digest: bytes('idKeyDigest'),
      author_key_digest: bytes('authorKeyDigest'),
      report_id: bytes('reportId'),
      report_id_ma: bytes('reportIdMa'),
      reported_tcb: tcb('reportedTcb'),
      cpuid_fam_id: number('cpuidFamId'),
      cpuid_mod_id: number('cpuidModId'),
      cpuid_step: number('cpuidStep'),
      chip_id: bytes('chipId'),
      committed_tcb: tcb('committedTcb'),
      current: version('currentBuild', 'currentMinor', 'currentMajor'),
      committed: version('committedBuild', 'committedMinor', 'committedMajor'),
      launch_tcb: tcb('launchTcb'),
      launch_mit_vector: number('launchMitVector'),
      current_mit_vector: number('currentMitVector'),
      signature: { r: [...report.subarray(0x2a0, 0x2e8)], s: [...report.subarray(0x2e8, 0x330)] },
    },
    cert_chain: certificates.map(({ type, der }) => ({ cert_type: type, data: [...der] })),
  }
}
