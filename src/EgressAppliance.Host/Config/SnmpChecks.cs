using System.Text;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Config;

/// <summary>What the SNMP keys of the routers must mean together.</summary>
internal sealed class SnmpChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    private const int SecretMaximum = 255;

    private static readonly string[] OfVersion3 = ["user", "auth", "auth_password_file", "priv", "priv_password_file", "context", "engine_id"];

    /// <summary>Runs every check. Values of <c>*_file</c> keys are replaced by the secrets read.</summary>
    public void Run()
    {
        foreach (BoundSection router in root.Sections("routers"))
        {
            if (router.Section("snmp") is { } snmp && snmp.TryGet("version", out SnmpVersion version))
            {
                if (version == SnmpVersion.V3)
                {
                    CheckUser(snmp);
                }
                else
                {
                    CheckCommunity(snmp);
                }
            }
        }
    }

    private void CheckCommunity(BoundSection snmp)
    {
        foreach (string name in OfVersion3.Where(name => snmp.Value(name).Given))
        {
            BoundValue value = snmp.Value(name);
            diagnostics.Error(value.At, $"'{value.Path}' is for version 3", "add `version: 3` to the section, or remove it");
        }

        BoundValue community = snmp.Value("community_file");
        if (community is { Given: true, Valid: true })
        {
            community.Value = SecretFile.Read(community, baseDirectory, SecretMaximum, diagnostics);
        }
        else if (!community.Given && !OfVersion3.Any(name => snmp.Value(name).Given))
        {
            diagnostics.Error(
                snmp.KeyAt("community_file"), $"'{snmp.Path}.community_file' is missing", "add it, a file with the community; or `version: 3` with a user");
        }
    }

    private void CheckUser(BoundSection snmp)
    {
        BoundValue community = snmp.Value("community_file");
        if (community.Given)
        {
            diagnostics.Error(community.At, $"'{community.Path}': version 3 has no community", "remove it, or set `version: 2c`");
        }

        if (!snmp.Value("user").Given)
        {
            diagnostics.Error(snmp.KeyAt("user"), $"'{snmp.Path}.user' is missing", "add it: version 3 asks as a user");
        }

        CheckPassword(snmp, "auth");
        CheckPassword(snmp, "priv");
        BoundValue privacy = snmp.Value("priv");
        if (privacy.Given && !snmp.Value("auth").Given)
        {
            diagnostics.Error(privacy.At, $"'{privacy.Path}': there is no privacy without authentication", "add `auth` and `auth_password_file`, or remove it");
        }
        else if (!snmp.Value("auth").Given && !snmp.Value("auth_password_file").Given && snmp.Value("user") is { Given: true } user)
        {
            diagnostics.Warn(
                user.At, $"'{snmp.Path}': without `auth` anybody can answer in the router's place", "add `auth` and `auth_password_file`, if the router's user has them");
        }
    }

    private void CheckPassword(BoundSection snmp, string protocol)
    {
        BoundValue word = snmp.Value(protocol);
        BoundValue file = snmp.Value(protocol + "_password_file");
        if (word.Given != file.Given)
        {
            BoundValue given = word.Given ? word : file;
            string lacks = word.Given ? protocol + "_password_file" : protocol;
            diagnostics.Error(given.At, $"'{given.Path}' is given without `{lacks}`", "give both, or neither");
        }

        if (file is not { Given: true, Valid: true })
        {
            return;
        }

        string? secret = SecretFile.Read(file, baseDirectory, SecretMaximum, diagnostics);
        if (secret is not null && Encoding.UTF8.GetByteCount(secret) < UsmUser.MinPasswordBytes)
        {
            diagnostics.Error(
                file.At, $"'{file.Path}': the password is shorter than {UsmUser.MinPasswordBytes} bytes", "use a longer one, on the router too (RFC 3414 section 11.2)");
            secret = null;
        }

        file.Value = secret;
    }
}
