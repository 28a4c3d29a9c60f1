import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { LIMITS } from '../../core/limits.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { ChainMemo } from '../../core/x509/chain-memo.ts'
import { commonName, nameText, serialNumberAttribute } from '../../core/x509/names.ts'
import { type PathProfile, type ValidatedPath, validatePath } from '../../core/x509/path.ts'
import { ARCHITECTURES, type ArchitectureFacts, DEVICE_ROLES } from './architectures.ts'
import type { DeviceClass } from './opaque-fields.ts'

/** NVIDIA's device certificates: P-384 throughout; the hosts are those that certificates seen so far name. */
export const DEVICE_PROFILE: PathProfile = {
  algorithms: ['ES384'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: ['ocsp.ndis.nvidia.com', 'crl.ndis.nvidia.com'],
}

/** Who a device is, as its certificates say. */
export interface DeviceIdentity {
  readonly facts: ArchitectureFacts
  /** chip as the certificates spell it, e.g. `GH100` */
  readonly chip: string
  /** subject serialNumber of the attestation key, 40 lower-case hex digits */
  readonly akSerial: string
  /** subject serialNumber of the identity key, 18 lower-case hex digits */
  readonly ikSerial: string
  /** CN of the identity certificate */
  readonly hwModel: string
  /** serial of the attestation certificate, decimal */
  readonly ueid: string
}

/** A chain of five that ends in a pinned device root, and the device it names. */
export interface DeviceChain {
  /** attestation, identity, provisioner, architecture; the root is the anchor */
  readonly path: ValidatedPath
  readonly identity: DeviceIdentity
}

/**
 * Validates a device chain: five certificates, leaf first, each with the name of its role, all of one architecture, the
 * fifth being a pinned root by name and key (its body is not used), every link signed. Dates and revocation come after.
 * @param certificates as offered with the evidence
 * @param label architecture that the carrier claims; compared, never believed
 * @returns the chain, or GPU_CERT_CHAIN_MISSING · LIMIT_CERT_COUNT · X509_ROOT_UNTRUSTED · GPU_CERT_ROLE · GPU_ARCH_MISMATCH · those of `validatePath`
 * @see ../shared/spec/nvidia-gpu.md §3
 */
export function authenticateChain(
  context: Context,
  certificates: readonly Certificate[],
  device: DeviceClass,
  label: string | undefined,
  path: string,
): Promise<Outcome<DeviceChain>> {
  return attemptAsync(async () => {
    const anchors = context.anchors.filter((a) => a.role === 'nvidia/device-root')
    const four = withoutRoot(certificates, anchors, path)
    const identity = identities.get(four) ?? identities.set(four, identityOf(four, path))
    checkArchitecture(identity.facts, device, label, path)
    const offeredRoots = certificates.slice(-1)
    const validated = take(await validatePath(context, 'evidence', four, offeredRoots, anchors, DEVICE_PROFILE, path))
    return { path: validated, identity }
  })
}

const isAnchor = (certificate: Certificate | undefined, anchors: readonly TrustAnchor[]): boolean =>
  certificate !== undefined &&
  anchors.some((a) => equalBytes(a.subject, certificate.subject.der) && equalBytes(a.spki, certificate.publicKey.spki))

function withoutRoot(
  certificates: readonly Certificate[],
  anchors: readonly TrustAnchor[],
  path: string,
): NonEmpty<Certificate> {
  const count = certificates.length
  if (count > LIMITS.certificatesPerChain) {
    refuse('LIMIT_CERT_COUNT', path, { expected: `at most ${LIMITS.certificatesPerChain}`, actual: count })
  }
  const [first, ...others] = certificates
  const top = certificates[count - 1]
  if (first === undefined || top === undefined) return refuse('GPU_CERT_CHAIN_MISSING', path)
  const rooted = certificates.some((c) => isAnchor(c, anchors))
  if (!rooted && count <= DEVICE_ROLES.length) {
    refuse('X509_ROOT_UNTRUSTED', `${path}[${count - 1}]`, {
      expected: anchors.map((a) => a.id).join(', '),
      actual: nameText(top.subject),
    })
  }
  if (count !== DEVICE_ROLES.length || !isAnchor(top, anchors)) {
    refuse('GPU_CERT_ROLE', path, {
      expected: `${DEVICE_ROLES.length} certificates, the root last`,
      actual: `${count}: ${certificates.map((c) => commonName(c.subject) ?? '?').join(', ')}`,
    })
  }
  return [first, ...others.slice(0, -1)]
}

const identities = new ChainMemo<DeviceIdentity>()

function identityOf(four: NonEmpty<Certificate>, path: string): DeviceIdentity {
  const facts = ARCHITECTURES.find((a) => a.names.attestation.test(commonName(four[0].subject) ?? ''))
  if (facts === undefined) {
    return refuse('GPU_CERT_ROLE', `${path}[0].subject`, {
      expected: 'the attestation key of a known device family',
      actual: nameText(four[0].subject),
    })
  }
  const chips = DEVICE_ROLES.slice(0, -1).map((role, i) => {
    const name = commonName((four[i] ?? four[0]).subject) ?? ''
    const match = role === 'root' ? null : facts.names[role].exec(name)
    if (match === null) {
      return refuse('GPU_CERT_ROLE', `${path}[${i}].subject`, {
        expected: `${role} certificate of ${facts.architecture}`,
        actual: name,
      })
    }
    return match[1]
  })
  const [chip = ''] = chips
  if (chips.some((c) => c !== undefined && c !== chip)) {
    refuse('GPU_CERT_ROLE', path, { expected: `one chip, ${chip}`, actual: chips.join(', ') })
  }
  const [attestation, identity = attestation] = four
  return {
    facts,
    chip,
    akSerial: serialOf(attestation, 20, `${path}[0].subject`),
    ikSerial: serialOf(identity, 9, `${path}[1].subject`),
    hwModel: commonName(identity.subject) ?? '',
    ueid: BigInt(`0x${attestation.serial}`).toString(),
  }
}

function serialOf(certificate: Certificate, sizeBytes: number, path: string): string {
  const serial = serialNumberAttribute(certificate.subject) ?? ''
  if (serial.length !== 2 * sizeBytes || !/^[0-9A-Fa-f]+$/.test(serial)) {
    refuse('GPU_CERT_ROLE', `${path}.serialNumber`, { expected: `${2 * sizeBytes} hexadecimal digits`, actual: serial })
  }
  return serial.toLowerCase()
}

function checkArchitecture(
  facts: ArchitectureFacts,
  device: DeviceClass,
  label: string | undefined,
  path: string,
): void {
  if (facts.device !== device) {
    refuse('GPU_ARCH_MISMATCH', `${path}[0].subject`, { expected: `a ${device}`, actual: facts.architecture })
  }
  if (label !== undefined && label.toUpperCase() !== facts.architecture) {
    refuse('GPU_ARCH_MISMATCH', 'architectureLabel', { expected: facts.architecture, actual: label })
  }
}
