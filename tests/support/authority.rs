// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate authority of the test's own.

/// Certifies names for as long as it is there; believed by whoever is given its certificate.
pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
    der: Vec<u8>,
}

/// What a server shows, and what it keeps.
pub struct ServerCertificate {
    /// PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub key: String,
}

impl Authority {
    /// One that nobody knows yet.
    pub fn new() -> Self {
        let mut about = rcgen::CertificateParams::default();
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        about.distinguished_name.push(rcgen::DnType::CommonName, "the authority of this test");
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let own = about.self_signed(&key).expect("it signs for itself");
        let (pem, der) = (own.pem(), own.der().to_vec());
        Self { issuer: rcgen::Issuer::new(about, key), pem, der }
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// A certificate for these names and addresses.
    pub fn certify(&self, names: &[&str]) -> ServerCertificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let about = rcgen::CertificateParams::new(names).expect("the names are names");
        let certificate = about.signed_by(&key, &self.issuer).expect("the authority signs").pem();
        ServerCertificate { certificate, key: key.serialize_pem() }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
