// SPDX-License-Identifier: LGPL-2.0-or-later
//! `certify-userid` and `validate-userid`: who vouches for whom.

use plombe_core::cert::{CertError, UserIdQuery};

use super::{
    Context,
    args::{CertifyUserid, ValidateUserid},
    failure::{Code, Failure, Result},
    material, moment, password, read_stdin, write_stdout,
};

/// `certify-userid`: every key vouches for every named user ID in every certificate.
pub(super) fn certify(context: &Context, args: &CertifyUserid) -> Result<()> {
    let issuers = material::tsks(&args.keys, &password::to_try(&args.with_key_password)?)?;
    let mut certified = material::parse_certificates(&read_stdin()?)?;
    for certificate in &mut certified {
        for issuer in &issuers {
            *certificate = certificate
                .clone()
                .certify(&args.userid, issuer, !args.no_require_self_sig, &context.policy, context.now)
                .map_err(|error| match error {
                    CertError::NoSuchUserId => Failure::new(Code::CertUseridNoMatch, error.to_string()),
                    _ => Failure::new(Code::KeyCannotCertify, error.to_string()),
                })?;
        }
    }
    material::write_certificates(&certified, args.armoring.armor())
}

/// `validate-userid`: says nothing but its exit code.
pub(super) fn validate(context: &Context, args: &ValidateUserid) -> Result<()> {
    let at = moment::parse(&args.validate_at, context.now)?;
    let authorities = material::certificates(&args.certs)?;
    let query = if args.addr_spec_only {
        UserIdQuery::Address(&args.userid)
    } else {
        UserIdQuery::Exactly(&args.userid)
    };
    for certificate in material::parse_certificates(&read_stdin()?)? {
        if !certificate.is_certified_by(&authorities, query, &context.policy, at) {
            return Err(Failure::new(
                Code::CertUseridNoMatch,
                format!("no authority vouches for this user ID in {}", certificate.fingerprint()),
            ));
        }
    }
    write_stdout(b"")
}
