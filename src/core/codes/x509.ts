import type { CodeTable } from './entry.ts'

export const X509_CODES = {
  // X.509: certificates and their paths.
  X509_ROOT_UNTRUSTED: {
    verdict: 'reject',
    title: 'The certificate chain does not end in a pinned vendor root.',
    hint: 'Roots inside evidence are never believed. The provider should send the complete vendor chain; for a test hierarchy of your own name its root with --trust-anchor FILE, and the decision will then open nothing.',
  },
  X509_SERIAL_REUSED: {
    verdict: 'reject',
    title: 'Two different certificates carry the same issuer and serial number.',
    hint: 'An issuer numbers its certificates uniquely, so one of the two is not what it seems. Fetch the chain again from the vendor and keep only that copy.',
  },
  X509_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'A certificate was not signed by the certificate above it.',
    hint: 'The chain mixes certificates of different products or devices, or one was altered. Fetch the chain again from the vendor: snpguest fetch ca for AMD, the driver for NVIDIA.',
  },
  X509_VALIDITY: {
    verdict: 'reject',
    title: 'A certificate is expired or not yet valid at the time of judgement.',
    hint: 'Fetch a current certificate or manifest; for old evidence give its own time with --at. If the certificate is only minutes old, check the clock of the verifier.',
  },
  X509_REVOKED: {
    verdict: 'reject',
    title: 'A certificate of the chain is revoked.',
    hint: 'Fetch the current chain from the vendor, because a replaced intermediate is revoked while its successor is good. If the current one is revoked too, the hardware or manifest cannot be used.',
  },
  X509_NOT_CA: {
    verdict: 'reject',
    title: 'A certificate that issued another one is not a CA.',
    hint: 'No vendor issues such a chain. Fetch the chain again and do not use this copy.',
  },
  X509_LEAF_IS_CA: {
    verdict: 'reject',
    title: 'The certificate that should belong to a device is a CA.',
    hint: 'An intermediate was sent in place of the device certificate. Send the chain leaf first.',
  },
  X509_PATH_LENGTH: {
    verdict: 'reject',
    title: 'The chain is longer than one of its CAs permits.',
    hint: 'Remove certificates that do not belong to the path. If the vendor chain itself looks like this, fetch it again.',
  },
  X509_NAME_CHAIN: {
    verdict: 'reject',
    title: 'The issuer named in a certificate is not the subject of the one above it.',
    hint: 'Certificates are missing, out of order or from another product. Send the chain leaf first, each followed by its issuer.',
  },
  X509_KEY_USAGE: {
    verdict: 'reject',
    title: 'A certificate is used for something its key usage does not allow.',
    hint: 'Fetch the chain again from the vendor. A self-made test hierarchy needs keyCertSign on its CAs and digitalSignature on its leaves.',
  },
  X509_CRITICAL_EXTENSION: {
    verdict: 'reject',
    title: 'A certificate has a critical extension this verifier does not understand.',
    hint: 'Update Vouchsafe in case the vendor has introduced the extension. Otherwise fetch the certificate again.',
  },
  X509_EXTENSION_DUPLICATE: {
    verdict: 'reject',
    title: 'A certificate has the same extension twice.',
    hint: 'Vendors do not issue this. Fetch the certificate again and do not use this copy.',
  },
  X509_ALGORITHM_MISMATCH: {
    verdict: 'reject',
    title: 'A certificate names two different signature algorithms.',
    hint: 'The certificate was altered. Fetch it again from the vendor.',
  },
  X509_ALGORITHM_FORBIDDEN: {
    verdict: 'reject',
    title: 'A certificate is signed with an algorithm or parameters that are not allowed.',
    hint: 'AMD uses RSA-PSS with SHA-384 and salt 48, NVIDIA uses ECDSA P-384 with SHA-384. Fetch the certificate again, and update Vouchsafe if the vendor has changed its algorithm.',
  },
  X509_KEY_UNSUPPORTED: {
    verdict: 'reject',
    title: 'A certificate has a key of a type or curve that is not allowed.',
    hint: 'Keys must be on a named curve; explicit curve parameters are how forged keys are hidden. Fetch the certificate again from the vendor.',
  },
  X509_KEY_INVALID: {
    verdict: 'reject',
    title: 'The public key in a certificate is not a valid point of its curve.',
    hint: 'The certificate is damaged or forged. Fetch it again from the vendor and do not use this copy.',
  },
  X509_KEY_SIZE: {
    verdict: 'reject',
    title: 'An RSA key has a size or exponent that is not allowed.',
    hint: 'AMD CA keys have 4096 bits. Remove the foreign certificate, or fetch the chain again.',
  },
  X509_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not a certificate.',
    hint: 'Check that a key, a request or a CRL was not sent in its place. Certificates are X.509 version 3 as RFC 5280 defines them.',
  },
  DER_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'A binary structure is not in its one canonical DER form.',
    hint: 'Use the file as the vendor issued it; conversion tools and cut downloads cause this. Fetch it again.',
  },
  DER_OID_INVALID: {
    verdict: 'reject',
    title: 'An object identifier is malformed or has a component out of range.',
    hint: 'Such identifiers are made to be mistaken for others. Discard the file and fetch it again from the vendor.',
  },
  DER_TRUNCATED: {
    verdict: 'reject',
    title: 'A certificate or revocation file ends before its declared length.',
    hint: 'The file was cut on the way. Fetch it again from the vendor and pass it whole.',
  },
  DER_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the end of a certificate or of a value inside it.',
    hint: 'Send each DER certificate in its own file or entry, without padding. Several certificates in one file belong into PEM.',
  },
  PEM_INVALID: {
    verdict: 'reject',
    title: 'The PEM text is damaged or has a different number of certificates than needed.',
    hint: 'Keep only the BEGIN and END CERTIFICATE blocks, without text between them and without a byte order mark. For AMD, snpguest fetch ca pem DIR -r report.bin writes clean files.',
  },
  // Revocation: CRLs and OCSP answers.
  CRL_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no revocation list for a certificate that needs one.',
    hint: 'Let vouchsafe verify fetch it, without --offline, or vouchsafe collateral fetch EVIDENCE beforehand. From elsewhere (snpguest fetch crl for AMD, pckcrl and IntelSGXRootCA.der of the service for Intel) pass it with --collateral DIR. The provider can do nothing about this.',
  },
  CRL_STALE: {
    verdict: 'inconclusive',
    title: 'The revocation list is past its next update.',
    hint: 'Fetch the current list from the vendor and replace the old file in --collateral DIR. Lists of AMD and of the root of Intel last about a year, those of the PCK CA 30 days.',
  },
  CRL_TIME_INVALID: {
    verdict: 'inconclusive',
    title: 'The revocation list was issued in the future.',
    hint: 'Fetch the list again from the vendor and check the clock of the verifier.',
  },
  CRL_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The revocation list was not signed by the issuer of the certificate.',
    hint: 'The list of another product was supplied, or it was altered. Each AMD product and each CA of Intel has its own: fetch it from the vendor, for AMD with snpguest fetch crl der DIR -r report.bin.',
  },
  CRL_UNSUPPORTED: {
    verdict: 'reject',
    title:
      'The revocation list is partial or without end date, has an unknown critical extension, or its signer may not sign.',
    hint: 'Use the complete list from the address of the vendor. If that very list is refused, update Vouchsafe.',
  },
  CRL_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not a revocation list.',
    hint: 'Fetch the list again; an error page or a certificate was probably saved under its name.',
  },
  OCSP_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no OCSP answer for a certificate that needs one.',
    hint: 'Let vouchsafe verify fetch one, without --offline; from openssl ocsp -issuer ISSUER.pem -cert CERT.pem -url http://ocsp.ndis.nvidia.com -respout FILE pass it with --collateral DIR. A policy may also ask for stapled answers only, which the collector then has to send along.',
  },
  OCSP_STALE: {
    verdict: 'inconclusive',
    title: 'The OCSP answer is older than allowed.',
    hint: 'Fetch a new answer and replace the file in --collateral DIR, or have the collector staple a fresh one. To judge old evidence give its own time with --at.',
  },
  OCSP_INVALID: {
    verdict: 'inconclusive',
    title: 'The OCSP answer is for another certificate or nonce, from a responder without delegation, or says unknown.',
    hint: 'Ask again for exactly this certificate, with its own issuer and a new nonce, straight from the vendor. Caching proxies must not mix up answers.',
  },
  OCSP_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The OCSP answer was not signed by its responder.',
    hint: 'The answer was altered or belongs to another responder. Discard it and fetch a new one from the vendor.',
  },
  OCSP_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not an OCSP answer.',
    hint: 'Store the DER body of the response, for example with the -respout option of openssl ocsp, not the request or an error page.',
  },
} as const satisfies CodeTable
