using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Cli;

/// <summary>The commands <c>snmp</c> and <c>links</c>, which ask a router, and what can be typed behind them.</summary>
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

    private readonly Argument<string[]> _wishes = new("NAME=NEXT_HOP")
    {
        Description = "A provider: the name its link is to have, and its addresses on the link, with commas in between.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _router = new("--router") { Description = "Name of the router in the configuration; with --host the name that it is to have there.", HelpName = "NAME", Required = true };

    public IEnumerable<Command> Build()
    {
        _port.Validators.Add(result => CommandLine.Between(result, 1, 65535));
        return [Snmp(), Links()];
    }

    private Command Snmp()
    {
        Command walk = new("walk", "Read what a router shows, by the same means as the appliance.")
        {
            _what, _config, _host, _port, _community, _user, _auth, _authPassword, _priv, _privPassword,
        };
        walk.SetAction(RunAsync);
        return new Command("snmp", "Tools for SNMP.") { walk };
    }

    private Command Links()
    {
        Command discover = new("discover", "Find the interfaces and MAC addresses of providers by their next hops, and print the links for the configuration.")
        {
            _wishes, _router, _config, _host, _port, _community, _user, _auth, _authPassword, _priv, _privPassword,
        };
        discover.SetAction(DiscoverAsync);
        return new Command("links", "Tools for links.") { discover };
    }

    private async Task<int> DiscoverAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string? error = Target(parsed, out IPAddress? address, out SnmpConfig? snmp);
        List<LinkWish> wishes = [];
        foreach (string text in parsed.GetValue(_wishes) ?? [])
        {
            error ??= Wish(text, wishes);
        }

        if (error is not null)
        {
            await console.Error.WriteLineAsync("egress-appliance: " + error);
            return ExitCode.Usage;
        }

        return await new LinkDiscoverCommand(console).RunAsync(
            new LinkDiscoverOptions(parsed.GetRequiredValue(_config), parsed.GetRequiredValue(_router)!, address, snmp, wishes, parsed.GetValue(global.Json)), cancellation);
    }

    private static string? Wish(string text, List<LinkWish> wishes)
    {
        string[] parts = text.Split('=', 2);
        ParsedValue name = ConfigType.Identifier.Parse(parts[0]);
        if (parts.Length != 2 || name.Problem is not null)
        {
            return $"'{text}' is not NAME=NEXT_HOP, such as isp-a=100.64.1.2 or isp-a=100.64.1.2,2001:db8::2";
        }

        List<IpAddr> hops = [];
        foreach (string hop in parts[1].Split(','))
        {
            if (!IpAddr.TryParse(hop, out IpAddr address))
            {
                return $"'{hop}' of {parts[0]} is not an address";
            }

            hops.Add(address);
        }

        if (wishes.Exists(w => w.Name == parts[0]))
        {
            return $"{parts[0]} is named twice";
        }

        wishes.Add(new LinkWish(parts[0], hops));
        return null;
    }

    /// <summary>The agent that --host and its options name; null for a router of the configuration.</summary>
    /// <returns>What is wrong with them, or null.</returns>
    private string? Target(ParseResult parsed, out IPAddress? address, out SnmpConfig? snmp)
    {
        (address, snmp) = (null, null);
        if (parsed.GetValue(_host) is { } host)
        {
            if (!IPAddress.TryParse(host, out address))
            {
                return $"--host: '{host}' is not an IP address";
            }

            snmp = Read(parsed, out string? error);
            return error;
        }

        return new Option[] { _port, _community, _user, _auth, _authPassword, _priv, _privPassword }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } alone
            ? $"{alone.Name} needs --host: a router is asked as the configuration says"
            : null;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string[] what = parsed.GetValue(_what) ?? [];
        bool host = parsed.GetValue(_host) is not null;
        ObjectIdentifier root = Mib2;
        string? error = Target(parsed, out IPAddress? address, out SnmpConfig? snmp);
        if (error is null && !host && what.Length == 0)
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
