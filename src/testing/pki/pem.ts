/** CERTIFICATE blocks in textual encoding (RFC 7468), 64 columns, each ended by a newline. Other labels on request. */
export function pem(der: Uint8Array | readonly Uint8Array[], label = 'CERTIFICATE'): string {
  const blocks = der instanceof Uint8Array ? [der] : der
  return blocks
    .map((block) => {
      const lines =
        Buffer.from(block)
          .toString('base64')
          .match(/.{1,64}/g) ?? []
      return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
    })
    .join('')
}
