import { equalBytes } from '../../core/bytes.ts'
import type { Context, Payer } from '../../core/context.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodePem } from '../../core/pem.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, nameText, sameName } from '../../core/x509/names.ts'
import { isSignedStructure, type PathProfile, type ValidatedPath, validatePath } from '../../core/x509/path.ts'
import type { CollateralSet, Held } from '../collateral.ts'
import type { CertificationData } from './certification.ts'
import { DCAP_CODES } from './codes.ts'
import type { PckExtension, Tee } from './model.ts'
import { pckExtension } from './pck-extension.ts'
import type { DcapQuote } from './quote.ts'

/** Intel's hierarchy under the SGX root: P-256 throughout; the hosts are those that certificates since 2020 name. */
export const INTEL_PROFILE: PathProfile = {
  algorithms: ['ES256'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: ['api.trustedservices.intel.com', 'certificates.trustedservices.intel.com'],
}

const LEAF_NAME = 'Intel SGX PCK Certificate'
const CA_NAMES: ReadonlyMap<string | undefined, PckCa> = new Map([
  ['Intel SGX PCK Platform CA', 'platform'],
  ['Intel SGX PCK Processor CA', 'processor'],
])

/** Platform CA: multi-socket machines · Processor CA: the others */
export type PckCa = 'platform' | 'processor'

/** A PCK certificate and its CA, offered as such. */
export interface OfferedPck {
  readonly leaf: Held<Certificate>
  readonly ca: Held<Certificate>
  /** the certificate offered as the root; undefined where none was */
  readonly root: Certificate | undefined
  readonly payer: Payer
}

/** A PCK certificate that Intel vouches for; dates and revocation come after. */
export interface AuthenticPck {
  readonly path: ValidatedPath
  readonly extension: PckExtension
  readonly ca: PckCa
}

/**
 * Finds, inside `attemptAsync`, the PCK certificate of a quote: in the quote itself, or in the collateral by what the quote
 * says about it. Ends it with the codes `certData` and `pckMissing` of `DCAP_CODES` · PEM_INVALID · ENV_BASE64_NOT_CANONICAL ·
 * DER_* · X509_*.
 */
export async function offeredPck(
  context: Context,
  tee: Tee,
  quote: DcapQuote,
  collateral: CollateralSet,
): Promise<OfferedPck> {
  const { certification } = quote
  if (certification.kind === 'pck-id') return pckInCollateral(context, tee, quote, certification, collateral)
  const [leaf, ca, root] = take(await chainOf(context, tee, certification.pem))
  return { leaf, ca, root: root?.value, payer: 'evidence' }
}

type OfferedChain = readonly [leaf: Held<Certificate>, ca: Held<Certificate>, root?: Held<Certificate>]

/** Intel's three in PEM have some 3,700 bytes. */
const MOST_CHAIN_BYTES = 8192

function chainOf(context: Context, tee: Tee, pem: Uint8Array): Promise<Outcome<OfferedChain>> {
  return context.decodeOnce('intel-pck-chain', pem, MOST_CHAIN_BYTES, () =>
    attemptAsync(async () => {
      const blocks = take(decodePem(pem, 'chain'))
      const [leaf, ca, root, more] = blocks
      const isForeign = blocks.some(({ label }) => label !== 'CERTIFICATE')
      if (leaf === undefined || ca === undefined || more !== undefined || isForeign) {
        return refuse(DCAP_CODES[tee].certData, 'chain', {
          expected: 'PCK certificate, its CA, and the root or none',
          actual: blocks.map(({ label }) => label).join(', '),
        })
      }
      const hold = async ({ der }: { readonly der: Uint8Array }, i: number): Promise<Held<Certificate>> => {
        const value = take(await context.certificate(der, `chain[${i}]`))
        return { value, sha256: await context.ownDigest(value.der) }
      }
      const two = [await hold(leaf, 0), await hold(ca, 1)] as const
      return root === undefined ? two : ([...two, await hold(root, 2)] as const)
    }),
  )
}

/** A folder may hold the certificates of a whole fleet; as many of one TCB are tried. */
const MOST_CANDIDATES = 48

/** Which are tried must not depend on the order of the files. */
const inOrderOfDigest = (certificates: readonly Held<Certificate>[]): readonly Held<Certificate>[] =>
  [...certificates].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)).slice(0, MOST_CANDIDATES)

/**
 * Of the PCK certificates with the TCB that the quote names, the one whose key signed the QE's report: the PPID that would
 * tell them apart may be encrypted.
 */
async function pckInCollateral(
  context: Context,
  tee: Tee,
  quote: DcapQuote,
  id: Extract<CertificationData, { kind: 'pck-id' }>,
  collateral: CollateralSet,
): Promise<OfferedPck> {
  const named = inOrderOfDigest(collateral.certificates.filter(({ value }) => isNamedBy(id, value, tee)))
  for (const leaf of named) {
    if (!(await isQeReportSigned(context, quote, leaf.value))) continue
    const ca = await caInCollateral(context, leaf.value, collateral)
    if (ca !== undefined) return { leaf, ca, root: undefined, payer: 'collateral' }
  }
  return refuse(DCAP_CODES[tee].pckMissing, 'chain', {
    expected: 'the PCK certificate that signed the QE report, and its CA',
    actual: `${named.length} certificates of that CPUSVN, PCESVN and PCEID`,
  })
}

function isNamedBy(id: Extract<CertificationData, { kind: 'pck-id' }>, certificate: Certificate, tee: Tee): boolean {
  if (commonName(certificate.subject) !== LEAF_NAME) return false
  const extension = pckExtension(certificate, tee)
  if (!extension.ok) return false
  const { ppid, cpuSvn, pceSvn, pceId } = extension.value
  const isSamePlatform = id.ppid === undefined || equalBytes(id.ppid, ppid)
  return isSamePlatform && id.pceSvn === pceSvn && equalBytes(id.cpuSvn, cpuSvn) && equalBytes(id.pceId, pceId)
}

async function caInCollateral(
  context: Context,
  leaf: Certificate,
  { certificates }: CollateralSet,
): Promise<Held<Certificate> | undefined> {
  const named = inOrderOfDigest(certificates.filter(({ value }) => sameName(value.subject, leaf.issuer)))
  for (const ca of named) {
    if (await isSignedStructure(context, 'collateral', leaf, ca.value.publicKey)) return ca
  }
  return undefined
}

/** Whether the key of this PCK certificate signed the report of the quoting enclave. */
export const isQeReportSigned = (context: Context, quote: DcapQuote, { publicKey }: Certificate): Promise<boolean> =>
  context.verify(
    'evidence',
    'ES256',
    publicKey.spki,
    quote.qeReportBytes,
    quote.qeReportSignature,
    // One machine's QE reports the same key for all of its quotes.
    'remember',
  )

/**
 * Proves, inside `attemptAsync`, that Intel certified a PCK: the names of their places, the path to a trusted root, a root
 * that is that one where one was offered, and Intel's extension. Ends it with the codes `pckRole` and `pckExtension` of
 * `DCAP_CODES` · X509_KEY_UNSUPPORTED · X509_NAME_CHAIN · those of `validatePath`.
 * @see ../shared/spec/intel-dcap.md §2, step 5, and §3
 */
export async function authenticatePck(context: Context, tee: Tee, offered: OfferedPck): Promise<AuthenticPck> {
  const certificates: NonEmpty<Certificate> = [offered.leaf.value, offered.ca.value]
  const ca = checkRoles(offered, tee)
  const anchors = context.anchors.filter((a) => a.role === 'intel/sgx-root')
  const roots = offered.root === undefined ? [] : [offered.root]
  const path = take(await validatePath(context, offered.payer, certificates, roots, anchors, INTEL_PROFILE, 'chain'))
  if (offered.root !== undefined && !equalBytes(offered.root.publicKey.spki, path.anchor.spki)) {
    refuse('X509_ROOT_UNTRUSTED', 'chain[2]', {
      expected: `${path.anchor.id} with its pinned key`,
      actual: `another key under the name ${nameText(offered.root.subject)}`,
    })
  }
  return { path, extension: take(pckExtension(offered.leaf.value, tee)), ca }
}

function checkRoles({ leaf, ca, root }: OfferedPck, tee: Tee): PckCa {
  const { pckRole } = DCAP_CODES[tee]
  const { subject, publicKey } = leaf.value
  if (commonName(subject) !== LEAF_NAME) {
    refuse(pckRole, 'chain[0].subject', { expected: LEAF_NAME, actual: nameText(subject) })
  }
  const place = CA_NAMES.get(commonName(ca.value.subject))
  if (place === undefined) {
    return refuse(pckRole, 'chain[1].subject', {
      expected: [...CA_NAMES.keys()].join(' or '),
      actual: nameText(ca.value.subject),
    })
  }
  if (publicKey.kind !== 'ec' || publicKey.curve !== 'P-256') {
    refuse('X509_KEY_UNSUPPORTED', 'chain[0]', { expected: 'P-256', actual: publicKey.kind })
  }
  if (root !== undefined && !sameName(root.subject, ca.value.issuer)) {
    refuse('X509_NAME_CHAIN', 'chain[1].issuer', {
      expected: nameText(root.subject),
      actual: nameText(ca.value.issuer),
    })
  }
  return place
}
