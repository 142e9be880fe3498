using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text;
using EgressAppliance.Host.Config;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Cli;

/// <summary>The command <c>snmp</c> and what can be typed behind it.</summary>
internal sealed class SnmpCommands(CommandConsole console, GlobalOptions global)
{
    private const int SecretMaximum = 255;

    private static readonly ObjectIdentifier Mib2 = ObjectIdentifier.Parse("1.3.6.1.2.1");

    private readonly Argument<string[]> _what = new("ROUTER|OID")
    {
        Description = "Name of the router in the configuration (not with --host), then what to read [default: 1.3.6.1.2.1].",
        Arity = new ArgumentArity(0, 2),
    };

    private readonly Option<string> _config = new("--config", "-c") { Description = "The configuration file.", HelpName = "FILE", DefaultValueFactory = _ => ConfigLoader.DefaultPath };
    private readonly Option<string?> _host = new("--host") { Description = "Ask this address instead of a router of the configuration.", HelpName = "ADDRESS" };
    private readonly Option<int> _port = new("--port") { Description = "UDP port of --host.", HelpName = "N", DefaultValueFactory = _ => 161 };
    private readonly Option<string?> _community = new("--community-file") { Description = "File with the community: version 2c.", HelpName = "FILE" };
    private readonly Option<string?> _user = new("--user") { Description = "User: version 3.", HelpName = "NAME" };
    private readonly Option<string?> _auth = new("--auth") { Description = "Authentication protocol, as in the configuration.", HelpName = "WORD" };
    private readonly Option<string?> _authPassword = new("--auth-password-file") { Description = "File with the authentication password.", HelpName = "FILE" };
    private readonly Option<string?> _priv = new("--priv") { Description = "Privacy protocol, as in the configuration.", HelpName = "WORD" };
    private readonly Option<string?> _privPassword = new("--priv-password-file") { Description = "File with the privacy password.", HelpName = "FILE" };

    public Command Build()
    {
        _port.Validators.Add(result => CommandLine.Between(result, 1, 65535));
        Command walk = new("walk", "Read what a router shows, by the same means as the appliance.")
        {
            _what, _config, _host, _port, _community, _user, _auth, _authPassword, _priv, _privPassword,
        };
        walk.SetAction(RunAsync);
        return new Command("snmp", "Tools for SNMP.") { walk };
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string[] what = parsed.GetValue(_what) ?? [];
        bool host = parsed.GetValue(_host) is not null;
        string? error = null;
        IPAddress? address = null;
        SnmpConfig? snmp = null;
        ObjectIdentifier root = Mib2;
        if (host && !IPAddress.TryParse(parsed.GetValue(_host), out address))
        {
            error = $"--host: '{parsed.GetValue(_host)}' is not an IP address";
        }
        else if (host)
        {
            snmp = Read(parsed, out error);
        }
        else if (new Option[] { _port, _community, _user, _auth, _authPassword, _priv, _privPassword }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } alone)
        {
            error = $"{alone.Name} needs --host: a router is asked as the configuration says";
        }
        else if (what.Length == 0)
        {
            error = "name a router of the configuration, or give --host";
        }

        string[] roots = host ? what : [.. what.Skip(1)];
        if (error is null && (roots.Length > 1 || (roots.Length == 1 && !ObjectIdentifier.TryParse(roots[0], out root))))
        {
            error = $"'{roots[^1]}' is not an object identifier in numbers, such as 1.3.6.1.2.1.31.1.1.1.1";
        }

        if (error is not null)
        {
            await console.Error.WriteLineAsync("egress-appliance: " + error);
            return ExitCode.Usage;
        }

        return await new SnmpWalkCommand(console).RunAsync(
            new SnmpWalkOptions(parsed.GetRequiredValue(_config), host ? null : what[0], address, snmp, root, parsed.GetValue(global.Json)), cancellation);
    }

    private SnmpConfig? Read(ParseResult parsed, out string? error)
    {
        int port = parsed.GetValue(_port);
        string? name = parsed.GetValue(_user);
        if (name is null == parsed.GetValue(_community) is null)
        {
            error = "--host needs either --community-file (version 2c) or --user (version 3)";
            return null;
        }

        error = null;
        if (name is null)
        {
            string? community = Secret(parsed, _community, 1, ref error);
            return error is null ? new SnmpConfig { Community = community, Port = port } : null;
        }

        if (Encoding.UTF8.GetByteCount(name) is 0 or > UsmUser.MaxNameBytes)
        {
            error = $"--user: a name has 1 to {UsmUser.MaxNameBytes} octets";
            return null;
        }

        object? authentication = Word(parsed, _auth, "routers[].snmp.auth", ref error);
        object? privacy = Word(parsed, _priv, "routers[].snmp.priv", ref error);
        string? authenticationPassword = Secret(parsed, _authPassword, UsmUser.MinPasswordBytes, ref error);
        string? privacyPassword = Secret(parsed, _privPassword, UsmUser.MinPasswordBytes, ref error);
        if (error is null && (authentication is null != authenticationPassword is null || privacy is null != privacyPassword is null))
        {
            error = "--auth and --auth-password-file go together, and so do --priv and --priv-password-file";
        }
        else if (error is null && privacy is not null && authentication is null)
        {
            error = "--priv: there is no privacy without --auth";
        }

        return error is not null
            ? null
            : new SnmpConfig
            {
                Port = port,
                User = new SnmpUserConfig
                {
                    Name = name,
                    Authentication = (AuthenticationProtocol)(authentication ?? AuthenticationProtocol.None),
                    AuthenticationPassword = authenticationPassword,
                    Privacy = (PrivacyProtocol)(privacy ?? PrivacyProtocol.None),
                    PrivacyPassword = privacyPassword,
                },
            };
    }

    private static object? Word(ParseResult parsed, Option<string?> option, string key, ref string? error)
    {
        if (error is not null || parsed.GetValue(option) is not { } word)
        {
            return null;
        }

        ParsedValue value = ConfigKeys.All.First(k => k.Path == key).Type!.Parse(word);
        error = value.Problem is null ? null : $"{option.Name}: {value.Problem}; {value.Remedy}";
        return value.Value;
    }

    private static string? Secret(ParseResult parsed, Option<string?> option, int least, ref string? error)
    {
        if (error is not null || parsed.GetValue(option) is not { } path)
        {
            return null;
        }

        string? secret = SecretFile.Read(option.Name, path, SecretMaximum, out string problem);
        error = secret is null ? problem
            : Encoding.UTF8.GetByteCount(secret) < least ? $"{option.Name}: the password is shorter than {least} bytes; use a longer one, on the router too"
            : null;
        return secret;
    }
}
