import { nodeCrypto } from '../core/crypto/node.ts'
import { toHex } from '../core/encodings.ts'
import { decodePem, looksLikePem } from '../core/pem.ts'
import type { AmdProduct, AnchorRole, TrustAnchor } from '../core/trust-anchors.ts'
import { type Certificate, decodeCertificate } from '../core/x509/certificate.ts'
import { commonName, sameName } from '../core/x509/names.ts'
import { faultText } from './faults.ts'
import { readFiles, UsageError } from './input.ts'

const PRODUCTS: readonly AmdProduct[] = ['Milan', 'Genoa', 'Turin']

/** What an anchor is for is said by its common name, in the vendors' own way of naming. */
export function anchorRole(
  certificate: Certificate,
): { role: AnchorRole; product: AmdProduct | undefined } | undefined {
  const name = commonName(certificate.subject) ?? ''
  for (const product of PRODUCTS) if (name === `ARK-${product}`) return { role: 'amd/ark', product }
  if (name === 'NVIDIA Device Identity CA') return { role: 'nvidia/device-root', product: undefined }
  if (name === 'NVIDIA CoRIM signing Root CA') return { role: 'nvidia/rim-root', product: undefined }
  if (name === 'Intel SGX Root CA') return { role: 'intel/sgx-root', product: undefined }
  if (name === 'aws.nitro-enclaves') return { role: 'aws/nitro-root', product: undefined }
  // Makers of TPMs have no common way of naming, but for these words.
  if (/\b(tpm|swtpm|tpm_ek_v1_cloud_host_root|EK)\b/i.test(name)) return { role: 'tpm/root', product: undefined }
  return undefined
}

/** An anchor from a self-issued certificate; always marked as injected. */
export async function anchorFrom(der: Uint8Array, source: string): Promise<TrustAnchor> {
  const decoded = decodeCertificate(der, source)
  if (!decoded.ok) throw new UsageError(`--trust-anchor ${source}: ${faultText(decoded.faults)}`)
  const certificate = decoded.value
  const use = anchorRole(certificate)
  if (use === undefined || !sameName(certificate.subject, certificate.issuer)) {
    throw new UsageError(
      `--trust-anchor ${source}: not a root that any evidence kind could end in (ARK-Milan, ARK-Genoa, ARK-Turin, NVIDIA Device Identity CA, NVIDIA CoRIM signing Root CA, Intel SGX Root CA, aws.nitro-enclaves, or a root of TPMs with TPM or EK in its name)`,
    )
  }
  const spki = certificate.publicKey.spki
  const spkiSha256 = toHex(await nodeCrypto.digest('sha256', spki))
  return {
    id: `injected/${commonName(certificate.subject)}#${spkiSha256.slice(0, 8)}`,
    role: use.role,
    product: use.product,
    subject: certificate.subject.der,
    serial: certificate.serial,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    spki,
    spkiSha256,
    certificateSha256: toHex(await nodeCrypto.digest('sha256', der)),
    injected: true,
  }
}

/** One or more anchors from a PEM or DER file. */
export async function anchorsFrom(path: string): Promise<TrustAnchor[]> {
  const files = await readFiles(path)
  const anchors: TrustAnchor[] = []
  for (const { name, bytes } of files) {
    if (!looksLikePem(bytes)) anchors.push(await anchorFrom(bytes, name))
    else {
      const blocks = decodePem(bytes, name)
      if (!blocks.ok) throw new UsageError(`--trust-anchor ${name}: ${faultText(blocks.faults)}`)
      for (const block of blocks.value) anchors.push(await anchorFrom(block.der, name))
    }
  }
  return anchors
}
