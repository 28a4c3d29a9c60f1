const LINE = /.{1,64}/g

/** Certificates in PEM (RFC 7468), in their order. */
export const pemOf = (certificates: readonly Uint8Array[]): string =>
  certificates
    .map((der) => {
      const lines = Buffer.from(der).toString('base64').match(LINE) ?? []
      return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
    })
    .join('')
