import type { Code } from '../../src/core/codes.ts'
import { CBOR_AREAS, CBOR_ROWS } from './catalogue-cbor.ts'
import { GATE_AREAS, GATE_ROWS } from './catalogue-gate.ts'
import { INTEL_AREAS, INTEL_ROWS } from './catalogue-intel.ts'
import { RELEASE_AREAS, RELEASE_ROWS } from './catalogue-release.ts'
import { TPM_AREAS, TPM_ROWS } from './catalogue-tpm.ts'

/** A row of the must-reject catalogue: what is wrong, and the one code that says so. */
export interface Row {
  readonly id: string
  readonly code: Code
  readonly verdict: 'reject' | 'inconclusive'
  readonly what: string
  /** codes of single cases of the row's range that another check, earlier in the order, rightly answers */
  readonly otherCodes?: readonly Code[]
  /** why the row differs from the catalogue that the project was given */
  readonly mended?: string
}

export const AREAS = [
  ...['ENV', 'BIND', 'SNP', 'GPU', 'RIM', 'X5', 'POL', 'COL', 'TIME'],
  ...INTEL_AREAS,
  ...CBOR_AREAS,
  ...TPM_AREAS,
  ...GATE_AREAS,
  ...RELEASE_AREAS,
]

const OWN_ROWS = [
  // ENV: the envelope, limits and labels.
  { id: 'RJ-ENV-01', code: 'LIMIT_REQUEST_BYTES', verdict: 'reject', what: 'a request one byte over the limit' },
  { id: 'RJ-ENV-02', code: 'LIMIT_EVIDENCE_BYTES', verdict: 'reject', what: 'a CPU report one byte over its limit' },
  { id: 'RJ-ENV-03', code: 'LIMIT_GPU_COUNT', verdict: 'reject', what: 'seventeen GPU reports' },
  { id: 'RJ-ENV-04', code: 'LIMIT_CERT_COUNT', verdict: 'reject', what: 'a certificate chain of more than eight' },
  {
    id: 'RJ-ENV-05',
    code: 'LIMIT_SIGNATURE_BUDGET',
    verdict: 'reject',
    what: 'evidence that costs more signature checks than one request may',
  },
  {
    id: 'RJ-ENV-06',
    code: 'ENV_BASE64_NOT_CANONICAL',
    verdict: 'reject',
    what: 'base64 in another spelling of the same bytes',
  },
  { id: 'RJ-ENV-07', code: 'ENV_KIND_MISMATCH', verdict: 'reject', what: 'a TDX quote labelled snp' },
  {
    id: 'RJ-ENV-08',
    code: 'ENV_KIND_UNKNOWN',
    verdict: 'reject',
    what: 'a kind that does not exist or is meant for tests',
  },
  {
    id: 'RJ-ENV-09',
    code: 'ENV_KIND_WEAKER_THAN_ORDER',
    verdict: 'reject',
    what: 'evidence that says snp for an order of cpu-gpu',
  },
  {
    id: 'RJ-ENV-10',
    code: 'ENV_FETCH_FROM_INPUT',
    verdict: 'reject',
    what: 'a certificate that names an address of its own choice to fetch from',
  },
  { id: 'RJ-ENV-11', code: 'ENV_EVIDENCE_EMPTY', verdict: 'reject', what: 'a CPU report without bytes' },
  {
    id: 'RJ-ENV-12',
    code: 'ENV_STRING_NOT_PRINTABLE',
    verdict: 'reject',
    what: 'control and direction-changing characters in a label',
  },
  { id: 'RJ-ENV-13', code: 'JSON_DUPLICATE_KEY', verdict: 'reject', what: 'a member twice in an envelope' },
  { id: 'RJ-ENV-14', code: 'JSON_UNKNOWN_KEY', verdict: 'reject', what: 'a misspelt member in an envelope' },
  { id: 'RJ-ENV-15', code: 'JSON_TYPE_MISMATCH', verdict: 'reject', what: 'a member of the wrong JSON type' },
  // BIND: freshness, and what ties the items together.
  { id: 'RJ-BIND-01', code: 'BIND_NONCE_MISMATCH', verdict: 'reject', what: 'an answer to another challenge' },
  {
    id: 'RJ-BIND-02',
    code: 'BIND_CHALLENGE_MISSING',
    verdict: 'reject',
    what: 'no challenge, so that the evidence would be compared with itself',
  },
  {
    id: 'RJ-BIND-03',
    code: 'BIND_SET_NOT_UNIFORM',
    verdict: 'reject',
    what: 'CPU and GPU answer different challenges',
  },
  { id: 'RJ-BIND-04', code: 'BIND_EXPECTED_EMPTY', verdict: 'reject', what: 'an empty expectation' },
  {
    id: 'RJ-BIND-05',
    code: 'BIND_NOT_CHECKED',
    verdict: 'reject',
    what: 'freshness not checked under a policy that releases keys',
  },
  {
    id: 'RJ-BIND-06',
    code: 'BIND_LENGTH_MISMATCH',
    verdict: 'reject',
    what: 'an expectation that fits only after cutting or padding',
  },
  {
    id: 'RJ-BIND-07',
    code: 'BIND_KEY_MISMATCH',
    verdict: 'reject',
    what: 'another key presented than the one in the evidence',
  },
  {
    id: 'RJ-BIND-08',
    code: 'BIND_DOMAIN_MISMATCH',
    verdict: 'reject',
    what: 'the key hashed under another domain label',
    otherCodes: ['BIND_KEY_MISMATCH'],
    mended:
      'The label of a hash is seen only where the evidence says it. Hashed under another label without saying so, the report data covers nothing that we know: BIND_KEY_MISMATCH.',
  },
  {
    id: 'RJ-BIND-09',
    code: 'BIND_TLS_CLAIM_FALSE',
    verdict: 'reject',
    what: 'a claim to be bound to a TLS key that is not true',
  },
  {
    id: 'RJ-BIND-10',
    code: 'BIND_CHALLENGE_EXPIRED',
    verdict: 'reject',
    what: 'a challenge one second older than allowed',
  },
  { id: 'RJ-BIND-11', code: 'BIND_CHALLENGE_FUTURE', verdict: 'reject', what: 'a challenge from the future' },
  {
    id: 'RJ-BIND-12',
    code: 'BIND_CHALLENGE_SCOPE',
    verdict: 'reject',
    what: 'a challenge for another lease or provider',
  },
  {
    id: 'RJ-BIND-13',
    code: 'BIND_COMPOSITE_MISSING',
    verdict: 'reject',
    what: 'report data that does not cover the GPU evidence though the policy wants it',
    otherCodes: ['BIND_COMPOSITE_MISMATCH'],
    mended:
      'Report data that does cover a GPU list, but another one than is shown, is RJ-BIND-14 and has its code; this row keeps the case that covers no list at all.',
  },
  {
    id: 'RJ-BIND-14',
    code: 'BIND_COMPOSITE_MISMATCH',
    verdict: 'reject',
    what: 'a GPU list reordered or exchanged after the CPU report was made',
  },
  {
    id: 'RJ-BIND-15',
    code: 'BIND_QUOTE_ORACLE',
    verdict: 'reject',
    what: 'the measurement of an image that signs any report data, where keys are to be released',
  },
  // SNP: AMD SEV-SNP.
  {
    id: 'RJ-SNP-01',
    code: 'SNP_SIZE_MISMATCH',
    verdict: 'reject',
    what: 'a report cut short',
    otherCodes: ['ENV_EVIDENCE_EMPTY'],
    mended:
      'Cut to nothing, the report is refused by its envelope before any decoder sees it (RJ-ENV-11); the decoder itself answers with the code of this row.',
  },
  {
    id: 'RJ-SNP-02',
    code: 'SNP_SIZE_MISMATCH',
    verdict: 'reject',
    what: 'bytes after the report',
    otherCodes: ['LIMIT_EVIDENCE_BYTES'],
    mended:
      'Of 100 kB the report breaks the limit of RJ-ENV-02 first, as limits come before decoding; up to that limit the code of this row holds.',
  },
  { id: 'RJ-SNP-03', code: 'SNP_VERSION_UNSUPPORTED', verdict: 'reject', what: 'a report version that is not known' },
  {
    id: 'RJ-SNP-04',
    code: 'SNP_RESERVED_NOT_ZERO',
    verdict: 'reject',
    what: 'every reserved byte of the layout, one at a time',
  },
  { id: 'RJ-SNP-05', code: 'SNP_SIGNATURE_ALGORITHM', verdict: 'reject', what: 'a signature algorithm that is not 1' },
  {
    id: 'RJ-SNP-06',
    code: 'SNP_SIGNATURE_NOT_CANONICAL',
    verdict: 'reject',
    what: 'a byte above the 48 of a signature component',
  },
  { id: 'RJ-SNP-07', code: 'SNP_RESERVED_NOT_ZERO', verdict: 'reject', what: 'a byte behind the signature components' },
  {
    id: 'RJ-SNP-08',
    code: 'SNP_SIGNATURE_RANGE',
    verdict: 'reject',
    what: 'signature components of 0, n and beyond n',
  },
  {
    id: 'RJ-SNP-09',
    code: 'SNP_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'every bit of the signed bytes, one at a time',
    otherCodes: [
      'SNP_VERSION_UNSUPPORTED',
      'SNP_RESERVED_NOT_ZERO',
      'SNP_POLICY_RESERVED_BIT',
      'SNP_VMPL_MISMATCH',
      'SNP_SIGNATURE_ALGORITHM',
      'SNP_REPORT_MALFORMED',
      'SNP_SIGNER_UNSUPPORTED',
      'SNP_SIGNER_KIND_MISMATCH',
      'SNP_PRODUCT_MISMATCH',
      'SNP_VCEK_CHIP_MISMATCH',
      'SNP_VCEK_TCB_MISMATCH',
    ],
    mended:
      'A flipped bit in a field that decoding, the chain or the match with the certificate looks at is refused there, before the signature is. Every other one of the 5,376 has the code of this row; the counts are in the exhaustive test.',
  },
  {
    id: 'RJ-SNP-10',
    code: 'SNP_SIGNER_UNSUPPORTED',
    verdict: 'reject',
    what: 'a signing key that is NONE or reserved',
  },
  { id: 'RJ-SNP-11', code: 'SNP_VCEK_CHIP_MISMATCH', verdict: 'reject', what: 'the endorsement key of another chip' },
  {
    id: 'RJ-SNP-12',
    code: 'SNP_VCEK_TCB_MISMATCH',
    verdict: 'reject',
    what: 'an endorsement key for another firmware level than reported',
  },
  {
    id: 'RJ-SNP-13',
    code: 'SNP_VCEK_EXTENSION_INVALID',
    verdict: 'reject',
    what: 'endorsement-key extensions missing, repeated or badly encoded',
  },
  { id: 'RJ-SNP-14', code: 'SNP_FIRMWARE_PROVISIONAL', verdict: 'reject', what: 'provisional firmware' },
  {
    id: 'RJ-SNP-15',
    code: 'SNP_TCB_BELOW_MINIMUM',
    verdict: 'reject',
    what: 'each TCB component one below the policy',
  },
  {
    id: 'RJ-SNP-16',
    code: 'SNP_TCB_ADVISORY',
    verdict: 'reject',
    what: 'firmware below the level that a bulletin of AMD demands',
  },
  { id: 'RJ-SNP-17', code: 'SNP_POLICY_DEBUG_ALLOWED', verdict: 'reject', what: 'a guest that may be debugged' },
  {
    id: 'RJ-SNP-18',
    code: 'SNP_POLICY_MIGRATION_ALLOWED',
    verdict: 'reject',
    what: 'a guest that a migration agent may move',
  },
  {
    id: 'RJ-SNP-19',
    code: 'SNP_POLICY_SMT_ALLOWED',
    verdict: 'reject',
    what: 'SMT where the policy forbids it',
    otherCodes: ['SNP_PLATFORM_CONTRADICTS_POLICY'],
    mended:
      'Where the guest forbids SMT and the platform has it on, the report also contradicts itself, whatever the policy: firmware never launches such a guest.',
  },
  {
    id: 'RJ-SNP-20',
    code: 'SNP_VMPL_MISMATCH',
    verdict: 'reject',
    what: 'a privilege level that the policy does not name',
  },
  {
    id: 'RJ-SNP-21',
    code: 'SNP_PLATFORM_ALIAS_CHECK',
    verdict: 'reject',
    what: 'a platform without completed alias check',
  },
  {
    id: 'RJ-SNP-22',
    code: 'SNP_POLICY_CIPHERTEXT_HIDING',
    verdict: 'reject',
    what: 'ciphertext hiding not demanded by the guest',
  },
  { id: 'RJ-SNP-23', code: 'SNP_POLICY_PAGE_SWAP', verdict: 'reject', what: 'page swapping not disabled by the guest' },
  { id: 'RJ-SNP-24', code: 'SNP_CHIP_ID_MASKED', verdict: 'reject', what: 'a chip that does not show which one it is' },
  { id: 'RJ-SNP-25', code: 'SNP_SIGNER_NOT_ALLOWED', verdict: 'reject', what: 'a VLEK where the policy wants a VCEK' },
  {
    id: 'RJ-SNP-26',
    code: 'SNP_PRODUCT_MISMATCH',
    verdict: 'reject',
    what: 'a CPU family that is unknown or contradicts the endorsement key',
  },
  { id: 'RJ-SNP-27', code: 'SNP_POLICY_RESERVED_BIT', verdict: 'reject', what: 'reserved bits of the guest policy' },
  {
    id: 'RJ-SNP-28',
    code: 'SNP_PLATFORM_RESERVED_BIT',
    verdict: 'reject',
    what: 'unknown bits of the platform information',
  },
  {
    id: 'RJ-SNP-29',
    code: 'SNP_PRODUCT_NOT_ALLOWED',
    verdict: 'reject',
    what: 'Milan under a policy that does not name it',
  },
  {
    id: 'RJ-SNP-30',
    code: 'SNP_MEASUREMENT_UNKNOWN',
    verdict: 'reject',
    what: 'a launch measurement that is not listed',
    otherCodes: ['POLICY_HEX'],
    mended:
      'A digest of 47 bytes is refused when the policy is read (RJ-POL-06), long before there is a measurement to compare.',
  },
  { id: 'RJ-SNP-31', code: 'SNP_HOST_DATA_MISMATCH', verdict: 'reject', what: 'HOST_DATA of another lease' },
  {
    id: 'RJ-SNP-32',
    code: 'SNP_ID_KEY_UNTRUSTED',
    verdict: 'reject',
    what: 'an ID or author key that is not listed, or not there',
    otherCodes: ['SNP_REPORT_MALFORMED'],
    mended:
      'A digest of an author key without AUTHOR_KEY_EN cannot come from firmware (AMD 56860 has it zero then) and is refused in decoding.',
  },
  {
    id: 'RJ-SNP-33',
    code: 'SNP_SVN_BELOW_MINIMUM',
    verdict: 'reject',
    what: 'guest SVN and ABI one below the policy',
    otherCodes: ['SNP_ABI_BELOW_MINIMUM'],
    mended:
      'The ABI has a code of its own: the remedy is to launch with another guest policy, not to sign an image with a higher SVN.',
  },
  {
    id: 'RJ-SNP-34',
    code: 'SNP_LAUNCH_TCB_BELOW_MINIMUM',
    verdict: 'reject',
    what: 'launched on firmware below the policy, patched since',
  },
  {
    id: 'RJ-SNP-35',
    code: 'SNP_MITIGATION_MISSING',
    verdict: 'reject',
    what: 'a mitigation that the policy demands and the report does not show',
  },
  {
    id: 'RJ-SNP-36',
    code: 'SNP_VCEK_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'no endorsement key in the evidence nor beside it',
  },
  { id: 'RJ-SNP-37', code: 'SNP_HOST_REQUESTED', verdict: 'reject', what: 'a genuine report that the host requested' },
  {
    id: 'RJ-SNP-38',
    code: 'SNP_SIGNER_KIND_MISMATCH',
    verdict: 'reject',
    what: 'VCEK and VLEK passed off as one another',
  },
  {
    id: 'RJ-SNP-39',
    code: 'X509_ROOT_UNTRUSTED',
    verdict: 'reject',
    what: 'a root of the same names taken from the evidence',
  },
  { id: 'RJ-SNP-40', code: 'POLICY_ZERO_DIGEST', verdict: 'reject', what: 'a digest of zeros in the policy' },
  // GPU: NVIDIA GPUs and switches.
  { id: 'RJ-GPU-01', code: 'GPU_COUNT_ZERO', verdict: 'reject', what: 'a GPU is required and none is shown' },
  { id: 'RJ-GPU-02', code: 'GPU_COUNT_MISMATCH', verdict: 'reject', what: 'another number of GPUs than leased' },
  {
    id: 'RJ-GPU-03',
    code: 'GPU_NOT_DISTINCT',
    verdict: 'reject',
    what: 'one GPU shown twice',
    otherCodes: ['GPU_TOPOLOGY_MISMATCH'],
    mended: 'A switch in two places also leaves the GPUs linked to one that is not there, which is told beside.',
  },
  { id: 'RJ-GPU-04', code: 'GPU_INDEX_INVALID', verdict: 'reject', what: 'device indexes repeated or with gaps' },
  {
    id: 'RJ-GPU-05',
    code: 'GPU_NONCE_MISMATCH',
    verdict: 'reject',
    what: 'a GPU that answers another nonce',
    otherCodes: ['BIND_SET_NOT_UNIFORM'],
    mended:
      'The code is that of NVIDIA evidence alone. Beside a CPU report that answers the challenge, a GPU that answers another is RJ-BIND-03.',
  },
  {
    id: 'RJ-GPU-06',
    code: 'GPU_NONCE_NOT_DERIVED',
    verdict: 'reject',
    what: 'the raw nonce where a derived one is required',
  },
  { id: 'RJ-GPU-07', code: 'GPU_SPDM_VERSION', verdict: 'reject', what: 'an SPDM version or code that is not the one' },
  {
    id: 'RJ-GPU-08',
    code: 'GPU_SPDM_MALFORMED',
    verdict: 'reject',
    what: 'SPDM lengths that disagree',
    otherCodes: ['GPU_PEM_SPLIT_INVALID', 'ENV_EVIDENCE_EMPTY'],
    mended: 'A report of no bytes is refused by its envelope, before any decoder sees it.',
  },
  {
    id: 'RJ-GPU-09',
    code: 'GPU_MEASUREMENT_INDEX',
    verdict: 'reject',
    what: 'measurement indexes repeated, skipped or miscounted',
  },
  { id: 'RJ-GPU-10', code: 'GPU_OPAQUE_DUPLICATE', verdict: 'reject', what: 'an opaque field twice' },
  {
    id: 'RJ-GPU-11',
    code: 'GPU_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'a signature over other bytes',
    otherCodes: ['GPU_TRAILING_BYTES'],
    mended:
      'A signature in DER is longer than r ‖ s, whose place follows from the lengths before it: the bytes left over are told first. A flipped bit that the decoder looks at is refused there; every byte is turned over in test/attestation/nvidia-gpu.',
  },
  {
    id: 'RJ-GPU-12',
    code: 'GPU_CC_MODE',
    verdict: 'reject',
    what: 'a GPU whose confidential mode is off, unknown, mixed or not excluded from devtools',
    otherCodes: [
      'GPU_REPORT_UNSUPPORTED',
      'GPU_MODE_NOT_ALLOWED',
      'GPU_MODE_UNKNOWN',
      'GPU_MODE_MIXED',
      'GPU_DEVTOOLS_NOT_EXCLUDED',
    ],
    mended:
      'The remedies differ, so the codes do. CC mode off is what PPCIE mode means, and keeps the code; a flag that does not exist, a mode that the policy does not name, one that is not told, and two in one machine have their own. Devtools mode shows in no report: a policy that excludes it is told what would.',
  },
  {
    id: 'RJ-GPU-13',
    code: 'GPU_TOPOLOGY_INCOMPLETE',
    verdict: 'reject',
    what: 'a switch missing from the set',
    otherCodes: ['GPU_TOPOLOGY_MISMATCH', 'GPU_NVLINK_NOT_PROTECTED'],
    mended:
      'Devices that agree on fewer switches have this code alone. Where a switch is left out of a whole board, the links to it lead nowhere and NVLink is not protected, which are findings of their own.',
  },
  {
    id: 'RJ-GPU-14',
    code: 'GPU_TOPOLOGY_MISMATCH',
    verdict: 'reject',
    what: 'a GPU connected to a switch that is not in the set',
    otherCodes: ['GPU_TOPOLOGY_IDENTITY', 'GPU_SWITCH_UNLOCKED'],
    mended:
      'Links that fit what a device says of itself, and not what its certificate says, are a borrowed identity and have a code of their own. So has a switch that is not locked.',
  },
  {
    id: 'RJ-GPU-15',
    code: 'GPU_NVLINK_NOT_PROTECTED',
    verdict: 'reject',
    what: 'several Hopper GPUs without acceptance of plain NVLink',
  },
  {
    id: 'RJ-GPU-16',
    code: 'GPU_ARCH_MISMATCH',
    verdict: 'reject',
    what: 'an architecture label that the certificates contradict',
  },
  {
    id: 'RJ-GPU-17',
    code: 'GPU_MEASUREMENT_MISMATCH',
    verdict: 'reject',
    what: 'a measurement that differs from its golden value',
  },
  { id: 'RJ-GPU-18', code: 'GPU_RIM_INDEX_MISSING', verdict: 'reject', what: 'an active index that no manifest names' },
  { id: 'RJ-GPU-19', code: 'GPU_RIM_CONFLICT', verdict: 'reject', what: 'two manifests at odds over one index' },
  {
    id: 'RJ-GPU-20',
    code: 'GPU_OCSP_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'no current OCSP answer for the device chain',
    otherCodes: ['OCSP_MISSING', 'OCSP_STALE'],
    mended:
      'The chain of a manifest signer has the general OCSP codes. Under "stapled", the remedy where no answer came at all is to staple one: OCSP_MISSING.',
  },
  {
    id: 'RJ-GPU-21',
    code: 'GPU_CERT_REVOKED',
    verdict: 'reject',
    what: 'a revoked device certificate',
    otherCodes: ['OCSP_INVALID'],
    mended:
      'The status `unknown` is no revocation: such an answer is worth nothing, and the verdict inconclusive (RJ-X5-16).',
  },
  {
    id: 'RJ-GPU-22',
    code: 'GPU_FWID_MISMATCH',
    verdict: 'reject',
    what: 'a firmware identity that differs between leaf and report',
    otherCodes: ['GPU_FWID_MISSING'],
    mended: 'A firmware identity that is not there cannot differ; its absence has a code of its own.',
  },
  {
    id: 'RJ-GPU-23',
    code: 'GPU_VERSION_BELOW_MINIMUM',
    verdict: 'reject',
    what: 'a driver or VBIOS below the policy or denied by it',
  },
  {
    id: 'RJ-GPU-24',
    code: 'GPU_MODEL_MISMATCH',
    verdict: 'reject',
    what: 'another model than leased',
    otherCodes: ['APPRAISAL_CLAIM_MISSING'],
    mended: 'A board that no table names has no model, which is never guessed: the claim is missing (RJ-POL-20).',
  },
  {
    id: 'RJ-GPU-25',
    code: 'X509_ROOT_UNTRUSTED',
    verdict: 'reject',
    what: 'a chain that ends before the pinned root',
    otherCodes: ['X509_SIGNATURE_INVALID'],
    mended:
      'With the genuine root put in the last place, the chain does end there by name; the link to it is what fails.',
  },
  { id: 'RJ-GPU-26', code: 'GPU_TRAILING_BYTES', verdict: 'reject', what: 'bytes after the signature' },
  {
    id: 'RJ-GPU-27',
    code: 'GPU_CERT_ROLE',
    verdict: 'reject',
    what: 'a chain that is not the five roles, or signed by another role',
    otherCodes: ['X509_ROOT_UNTRUSTED', 'GPU_PEM_SPLIT_INVALID'],
    mended:
      'The leaf alone ends below the root (RJ-GPU-25); with no certificate at all the envelope cannot tell where the report ends.',
  },
  {
    id: 'RJ-GPU-28',
    code: 'GPU_VERSION_MALFORMED',
    verdict: 'reject',
    what: 'a version text that would become a path or an id',
  },
  {
    id: 'RJ-GPU-29',
    code: 'GPU_NONCE_MISMATCH',
    verdict: 'reject',
    what: 'the expected nonce in the response only',
    otherCodes: ['BIND_SET_NOT_UNIFORM'],
    mended:
      'The code is that of NVIDIA evidence alone. Beside a CPU report that answers the challenge, a GPU that answers another is RJ-BIND-03.',
  },
  {
    id: 'RJ-GPU-30',
    code: 'GPU_RIM_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'no manifest published for this driver or VBIOS',
  },
  {
    id: 'RJ-GPU-31',
    code: 'GPU_SPDM_MALFORMED',
    verdict: 'reject',
    what: 'the second GPU unreadable after the first one passed',
  },
  // RIM: NVIDIA's reference manifests.
  {
    id: 'RJ-RIM-01',
    code: 'RIM_ID_MISMATCH',
    verdict: 'reject',
    what: 'a manifest for another product or edition than the device it is offered for',
    otherCodes: ['GPU_RIM_UNAVAILABLE'],
    mended:
      'A tagId is no identity: two real driver manifests share one. A manifest is known by product, edition and version, and has to fit where it comes with the evidence. In a folder it is simply not chosen, and the right one is missing.',
  },
  {
    id: 'RJ-RIM-02',
    code: 'RIM_SCHEMA_INVALID',
    verdict: 'reject',
    what: 'another root, namespace or element than the schema has',
    otherCodes: ['XML_SYNTAX', 'GPU_RIM_UNAVAILABLE'],
    mended:
      'What is no well-formed XML has no schema to break; a file that does not begin as XML is chosen for no device.',
  },
  { id: 'RJ-RIM-03', code: 'RIM_SIGNATURE_COUNT', verdict: 'reject', what: 'no signature, or two' },
  {
    id: 'RJ-RIM-04',
    code: 'RIM_SIGNATURE_SCOPE',
    verdict: 'reject',
    what: 'signature wrapping: one copy signed, another read',
  },
  {
    id: 'RJ-RIM-05',
    code: 'RIM_REFERENCE_INVALID',
    verdict: 'reject',
    what: 'a Reference to a part, to two parts or elsewhere',
  },
  { id: 'RJ-RIM-06', code: 'RIM_SIGNATURE_MALFORMED', verdict: 'reject', what: 'two SignedInfo' },
  {
    id: 'RJ-RIM-07',
    code: 'RIM_SIGNATURE_MALFORMED',
    verdict: 'reject',
    what: 'markup inside a digest or signature value',
  },
  {
    id: 'RJ-RIM-08',
    code: 'RIM_TRANSFORM_FORBIDDEN',
    verdict: 'reject',
    what: 'a transform other than enveloped-signature and C14N 1.1',
    mended:
      'Exclusive C14N is refused too: every manifest of NVIDIA is made with C14N 1.1, and one form less is one way less to read a document differently.',
  },
  { id: 'RJ-RIM-09', code: 'XML_DTD_FORBIDDEN', verdict: 'reject', what: 'a document type declaration' },
  { id: 'RJ-RIM-10', code: 'XML_ENCODING', verdict: 'reject', what: 'an encoding that is not UTF-8' },
  { id: 'RJ-RIM-11', code: 'LIMIT_XML', verdict: 'reject', what: 'a bomb of depth, attributes or size' },
  {
    id: 'RJ-RIM-12',
    code: 'RIM_VERSION_MISMATCH',
    verdict: 'reject',
    what: 'a manifest for another version than the device reports',
    otherCodes: ['GPU_RIM_UNAVAILABLE', 'RIM_SCHEMA_INVALID'],
    mended:
      'A folder may hold manifests of any version, and one of another is not chosen: the right one is missing. One without a version breaks the schema.',
  },
  { id: 'RJ-RIM-13', code: 'RIM_INDEX_DUPLICATE', verdict: 'reject', what: 'an index twice' },
  {
    id: 'RJ-RIM-14',
    code: 'RIM_VALUE_INVALID',
    verdict: 'reject',
    what: 'a golden value of the wrong length or not hexadecimal',
  },
  { id: 'RJ-RIM-15', code: 'RIM_ALGORITHM_FORBIDDEN', verdict: 'reject', what: 'a weak digest or signature algorithm' },
  {
    id: 'RJ-RIM-16',
    code: 'RIM_SIGNER_UNTRUSTED',
    verdict: 'reject',
    what: 'a signer that may not sign manifests, or no longer may',
    otherCodes: [
      'X509_NAME_CHAIN',
      'X509_SIGNATURE_INVALID',
      'X509_ROOT_UNTRUSTED',
      'X509_VALIDITY',
      'X509_NOT_CA',
      'X509_CRITICAL_EXTENSION',
      'RIM_KEYINFO_FORBIDDEN',
    ],
    mended:
      'What is wrong with the chain above the signer, or with dates, has the code that it has in every chain; this one is for a signer that is the wrong kind of certificate, or revoked.',
  },
  {
    id: 'RJ-RIM-17',
    code: 'RIM_SIGNER_NOT_BOUND',
    verdict: 'reject',
    what: 'a bare key beside certificates of NVIDIA',
    otherCodes: ['RIM_SIGNATURE_INVALID', 'RIM_KEYINFO_FORBIDDEN', 'RIM_SIGNATURE_MALFORMED'],
    mended:
      'A key that is nowhere in the document only makes a signature that the signer did not make; key information that is neither a key nor certificates, and certificates that are no base64, have their own codes.',
  },
  {
    id: 'RJ-RIM-18',
    code: 'RIM_ID_MISMATCH',
    verdict: 'reject',
    what: 'a manifest of another product with the right version',
    otherCodes: ['RIM_SCHEMA_INVALID'],
    mended: 'A manifest that names no product breaks the schema.',
  },
  // X5: certificates and revocation.
  {
    id: 'RJ-X5-01',
    code: 'X509_ROOT_UNTRUSTED',
    verdict: 'reject',
    what: 'a root of the pinned name with another key',
    otherCodes: ['X509_SIGNATURE_INVALID'],
    mended:
      'A certificate that carries the right names and was signed by another key breaks at that link; this code is for a chain that reaches no pinned root at all.',
  },
  { id: 'RJ-X5-02', code: 'X509_NOT_CA', verdict: 'reject', what: 'an intermediate that is no authority' },
  { id: 'RJ-X5-03', code: 'X509_PATH_LENGTH', verdict: 'reject', what: 'a path longer than its authority allows' },
  { id: 'RJ-X5-04', code: 'X509_LEAF_IS_CA', verdict: 'reject', what: 'a leaf that is an authority' },
  { id: 'RJ-X5-05', code: 'X509_NAME_CHAIN', verdict: 'reject', what: 'an issuer name that is not the subject above' },
  { id: 'RJ-X5-06', code: 'X509_KEY_USAGE', verdict: 'reject', what: 'a key used for what its usage does not allow' },
  {
    id: 'RJ-X5-07',
    code: 'X509_VALIDITY',
    verdict: 'reject',
    what: 'out of date by one second, at each level and edge',
  },
  { id: 'RJ-X5-08', code: 'X509_CRITICAL_EXTENSION', verdict: 'reject', what: 'an unknown critical extension' },
  { id: 'RJ-X5-09', code: 'X509_REVOKED', verdict: 'reject', what: 'a revoked intermediate' },
  {
    id: 'RJ-X5-10',
    code: 'RIM_SIGNER_UNTRUSTED',
    verdict: 'reject',
    what: 'a revoked leaf: the signer of a manifest',
    otherCodes: ['GPU_CERT_REVOKED', 'X509_REVOKED'],
    mended:
      'No chain that is judged here ends in a leaf whose status comes from a list: all leaves of AMD have serial 0, and NVIDIA answers by OCSP. A revoked signer of a manifest has this code, a revoked identity key of a device GPU_CERT_REVOKED. X509_REVOKED is what a list means in core.',
  },
  {
    id: 'RJ-X5-11',
    code: 'CRL_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'a revocation list signed wrongly or by another issuer',
  },
  {
    id: 'RJ-X5-12',
    code: 'CRL_UNSUPPORTED',
    verdict: 'reject',
    what: 'a revocation list in a form that is not taken',
    otherCodes: ['CRL_MISSING'],
    mended:
      'A list signed with a salt of another length cannot be read at all: its file is reported, and the list is missing.',
  },
  { id: 'RJ-X5-13', code: 'CRL_STALE', verdict: 'inconclusive', what: 'a revocation list past its next update' },
  {
    id: 'RJ-X5-14',
    code: 'CRL_TIME_INVALID',
    verdict: 'inconclusive',
    what: 'a revocation list whose times make no sense',
    otherCodes: ['CRL_UNSUPPORTED'],
    mended:
      'A list from the future may be right later. One without nextUpdate is none that RFC 5280 §5.1.2.5 knows, no retry mends it, and the verdict is reject.',
  },
  {
    id: 'RJ-X5-15',
    code: 'CRL_MISSING',
    verdict: 'inconclusive',
    what: 'no revocation list for a level that needs one',
    otherCodes: ['GPU_OCSP_UNAVAILABLE', 'OCSP_MISSING'],
    mended: "NVIDIA's chains are asked about by OCSP, and say so.",
  },
  {
    id: 'RJ-X5-16',
    code: 'OCSP_INVALID',
    verdict: 'inconclusive',
    what: 'an OCSP answer that answers another question',
    otherCodes: ['GPU_OCSP_UNAVAILABLE', 'OCSP_MISSING', 'OCSP_SIGNATURE_INVALID'],
    mended:
      'An answer about another certificate is found to answer nothing, so that none is there; a signature that does not verify is forged material and rejects.',
  },
  {
    id: 'RJ-X5-17',
    code: 'X509_KEY_UNSUPPORTED',
    verdict: 'reject',
    what: 'a key with explicit or unnamed curve parameters',
  },
  {
    id: 'RJ-X5-18',
    code: 'X509_KEY_INVALID',
    verdict: 'reject',
    what: 'a point that is not on the curve, or not in plain form',
  },
  { id: 'RJ-X5-19', code: 'DER_NOT_CANONICAL', verdict: 'reject', what: 'lengths that only BER allows' },
  {
    id: 'RJ-X5-20',
    code: 'DER_OID_INVALID',
    verdict: 'reject',
    what: 'an object identifier with an arc beyond 32 bits',
  },
  {
    id: 'RJ-X5-21',
    code: 'DER_TRAILING_BYTES',
    verdict: 'reject',
    what: 'bytes after a certificate or inside a bit string',
  },
  {
    id: 'RJ-X5-22',
    code: 'X509_ALGORITHM_MISMATCH',
    verdict: 'reject',
    what: 'inner and outer signature algorithm that differ',
  },
  { id: 'RJ-X5-23', code: 'LIMIT_DER_DEPTH', verdict: 'reject', what: 'a hundred thousand nested sequences' },
  { id: 'RJ-X5-24', code: 'X509_KEY_SIZE', verdict: 'reject', what: 'an RSA key of absurd size' },
  { id: 'RJ-X5-25', code: 'X509_ALGORITHM_FORBIDDEN', verdict: 'reject', what: 'a signature with MD5 or SHA-1' },
  { id: 'RJ-X5-26', code: 'X509_EXTENSION_DUPLICATE', verdict: 'reject', what: 'an extension twice' },
  {
    id: 'RJ-X5-27',
    code: 'PEM_INVALID',
    verdict: 'reject',
    what: 'PEM with a second block, text between or a byte order mark',
    otherCodes: ['GPU_TRAILING_BYTES', 'LIMIT_CERT_COUNT'],
    mended:
      'Between report and chain Akash puts a binary CEC report without length, so text there is too few bytes for one; a GPU chain twice has more certificates than a chain may.',
  },
  // POL: the policy document and its appraisal.
  {
    id: 'RJ-POL-01',
    code: 'POLICY_EMPTY',
    verdict: 'reject',
    what: 'a policy that asks for nothing, or has no rule for what was shown',
    otherCodes: ['POLICY_KIND_NOT_COVERED', 'TDX_VERSION_UNSUPPORTED', 'APPRAISAL_CPU_MISSING', 'GPU_NOT_EXPECTED'],
    mended:
      'The halves differ in who must act. An empty document is refused when it is read, with this code; evidence of a kind that the policy has no rule for is refused in appraisal, and named there. Bytes that cannot be a quote say that too.',
  },
  { id: 'RJ-POL-02', code: 'POLICY_UNKNOWN_KEY', verdict: 'reject', what: 'a misspelt member' },
  {
    id: 'RJ-POL-03',
    code: 'POLICY_MEASUREMENT_REQUIRED',
    verdict: 'reject',
    what: 'key release without a measurement',
  },
  { id: 'RJ-POL-04', code: 'POLICY_LIST_EMPTY', verdict: 'reject', what: 'an empty list' },
  {
    id: 'RJ-POL-05',
    code: 'POLICY_TYPE',
    verdict: 'reject',
    what: 'a value of another type, or one that could be converted',
  },
  { id: 'RJ-POL-06', code: 'POLICY_HEX', verdict: 'reject', what: 'hexadecimal of another length or spelling' },
  { id: 'RJ-POL-07', code: 'JSON_DUPLICATE_KEY', verdict: 'reject', what: 'a member twice' },
  {
    id: 'RJ-POL-08',
    code: 'LIMIT_POLICY',
    verdict: 'reject',
    what: 'a policy too deep, too large or with too many rules',
  },
  {
    id: 'RJ-POL-09',
    code: 'POLICY_UNKNOWN_KEY',
    verdict: 'reject',
    what: 'names that every JavaScript object inherits',
  },
  { id: 'RJ-POL-10', code: 'POLICY_PATTERN_FORBIDDEN', verdict: 'reject', what: 'a pattern or wildcard as value' },
  { id: 'RJ-POL-11', code: 'POLICY_URL_FORBIDDEN', verdict: 'reject', what: 'an address or path as value' },
  { id: 'RJ-POL-12', code: 'POLICY_UNSATISFIABLE', verdict: 'reject', what: 'bounds that exclude one another' },
  { id: 'RJ-POL-13', code: 'POLICY_NUMBER_RANGE', verdict: 'reject', what: 'a number out of range' },
  { id: 'RJ-POL-14', code: 'POLICY_BELOW_FLOOR', verdict: 'reject', what: 'a tenant who loosens the floor' },
  {
    id: 'RJ-POL-15',
    code: 'POLICY_LEASE_NOT_BOUND',
    verdict: 'reject',
    what: 'evidence that names no lease where the policy wants one',
    otherCodes: ['APPRAISAL_LEASE_MISSING'],
    mended:
      'Where the evidence names a lease and the verifier was given none to compare with, it is the verifier who has to bring it.',
  },
  {
    id: 'RJ-POL-16',
    code: 'REFERENCE_VALUE_EXPIRED',
    verdict: 'reject',
    what: 'a reference value that is expired or withdrawn',
    otherCodes: ['REFERENCE_VALUE_NOT_YET_VALID'],
    mended: 'A value that is not in force yet may be later: its own code, beside the two ends of one interval.',
  },
  {
    id: 'RJ-POL-17',
    code: 'REFERENCE_VALUE_UNTRUSTED',
    verdict: 'reject',
    what: 'a reference value signed by nobody the policy trusts',
    otherCodes: ['SNP_MEASUREMENT_UNKNOWN'],
    mended:
      'Where the level rests on the refused value, the measurement is also unknown, which is an unmet rule of its own.',
  },
  { id: 'RJ-POL-18', code: 'POLICY_VERSION', verdict: 'reject', what: 'a policy version that is not 1' },
  {
    id: 'RJ-POL-19',
    code: 'POLICY_DIGEST_CHANGED',
    verdict: 'reject',
    what: 'another policy than the challenge was issued for',
  },
  {
    id: 'RJ-POL-20',
    code: 'APPRAISAL_CLAIM_MISSING',
    verdict: 'reject',
    what: 'a rule about a claim that the evidence does not have',
  },
  {
    id: 'RJ-POL-21',
    code: 'APPRAISAL_ASSURANCE_TOO_LOW',
    verdict: 'reject',
    what: 'an assurance class that evidence cannot give',
    otherCodes: ['APPRAISAL_LEVEL_TOO_LOW', 'GPU_BINDING_INSUFFICIENT'],
    mended:
      'The catalogue asks for `silicon+place`; here the place is a rule of its own and keeps the code. What else evidence cannot give, a level and a tie of the GPU to the CPU, has codes that say which.',
  },
  {
    id: 'RJ-POL-22',
    code: 'POLICY_ACKNOWLEDGEMENT_MISSING',
    verdict: 'reject',
    what: 'a risk taken without naming it: Milan, debugging, keys below level 5',
    mended: 'One code for every risk that has to be named; the catalogue has Milan alone.',
  },
  { id: 'RJ-POL-23', code: 'JSON_SYNTAX', verdict: 'reject', what: 'text that is not strict JSON' },
  {
    id: 'RJ-POL-24',
    code: 'POLICY_PROFILE_NOT_RELEASABLE',
    verdict: 'reject',
    what: 'a development policy that would release keys',
  },
  // COL: collateral.
  { id: 'RJ-COL-01', code: 'COLLATERAL_EXPIRED', verdict: 'inconclusive', what: 'collateral past its next update' },
  { id: 'RJ-COL-02', code: 'COLLATERAL_NOT_YET_VALID', verdict: 'inconclusive', what: 'collateral from the future' },
  {
    id: 'RJ-COL-03',
    code: 'COLLATERAL_TOO_OLD',
    verdict: 'inconclusive',
    what: 'collateral older than the policy allows',
  },
  {
    id: 'RJ-COL-04',
    code: 'COLLATERAL_SUBJECT_MISMATCH',
    verdict: 'reject',
    what: 'genuine collateral of another platform',
  },
  {
    id: 'RJ-COL-05',
    code: 'COLLATERAL_EVALUATION_TOO_LOW',
    verdict: 'reject',
    what: 'an evaluation number below the floor',
  },
  {
    id: 'RJ-COL-06',
    code: 'COLLATERAL_ROLLBACK',
    verdict: 'reject',
    what: 'an evaluation number below one already seen',
  },
  {
    id: 'RJ-COL-07',
    code: 'COLLATERAL_ROLLBACK',
    verdict: 'reject',
    what: 'a revocation list number below one already seen',
  },
  {
    id: 'RJ-COL-08',
    code: 'COLLATERAL_EQUIVOCATION',
    verdict: 'reject',
    what: 'other bytes under an id and revision already seen',
  },
  {
    id: 'RJ-COL-09',
    code: 'COLLATERAL_RESPONSE_INVALID',
    verdict: 'inconclusive',
    what: 'an answer that is not what was asked for',
    mended: 'a redirect is not followed and a large body not read to its end; each has a code that says so',
    otherCodes: ['COLLATERAL_REDIRECTED', 'COLLATERAL_OVERSIZE'],
  },
  {
    id: 'RJ-COL-10',
    code: 'COLLATERAL_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'a vendor that cannot be reached, and nothing stored',
    mended: 'a name, a certificate and a deadline are mended in other ways than a connection',
    otherCodes: ['COLLATERAL_HOST_UNKNOWN', 'COLLATERAL_TLS_FAILED', 'COLLATERAL_DEADLINE_PASSED'],
  },
  // TIME: the verifier's clock.
  {
    id: 'RJ-TIME-01',
    code: 'CLOCK_BEFORE_BUILD',
    verdict: 'inconclusive',
    what: 'a time before this version was built',
  },
  { id: 'RJ-TIME-02', code: 'CLOCK_WENT_BACK', verdict: 'inconclusive', what: 'a time before one already recorded' },
  {
    id: 'RJ-TIME-03',
    code: 'CLOCK_JUMP',
    verdict: 'inconclusive',
    what: 'a jump of more than five minutes between two checks',
  },
  { id: 'RJ-TIME-04', code: 'CLOCK_SOURCES_DISAGREE', verdict: 'inconclusive', what: 'time sources that disagree' },
] as const satisfies readonly Row[]

const ROWS = [...OWN_ROWS, ...INTEL_ROWS, ...CBOR_ROWS, ...TPM_ROWS, ...GATE_ROWS, ...RELEASE_ROWS] as const

export type RowId = (typeof ROWS)[number]['id']

/** The rows of the areas that this version judges. */
export const CATALOGUE: readonly (Row & { readonly id: RowId })[] = ROWS
