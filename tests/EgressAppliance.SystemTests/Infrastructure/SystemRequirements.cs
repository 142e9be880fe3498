namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>What the lab needs of the machine.</summary>
internal static class SystemRequirements
{
    /// <summary>FRR's daemons, which are not on the path.</summary>
    public const string FrrFolder = "/usr/lib/frr";

    private static readonly (string Tool, string Package)[] Tools =
    [
        ("ip", "iproute2"), ("tc", "iproute2"), ("ethtool", "ethtool"), ("nft", "nftables"), ("sysctl", "procps"), ("bird", "bird2"),
        ("birdc", "bird2"), ("vtysh", "frr"), ("snmpd", "snmpd"), ("snmpget", "snmp"), ("snmpwalk", "snmp"),
        (FrrFolder + "/zebra", "frr"), (FrrFolder + "/bgpd", "frr"),
    ];

    private static readonly Lazy<string?> LazyMissing = new(Examine);

    /// <summary>Why system tests cannot run here, or null.</summary>
    public static string? Missing => LazyMissing.Value;

    /// <summary>True where a missing requirement is a failure and not a reason to skip.</summary>
    public static bool Required => Environment.GetEnvironmentVariable("EGRESS_REQUIRE_SYSTEM_TESTS") == "1";

    /// <summary>Throws the reason if something is missing.</summary>
    public static void Demand()
    {
        if (Missing is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
    }

    /// <summary>Which packages must be installed to have these tools, or null if all are there.</summary>
    public static string? MissingPackages(IReadOnlyCollection<(string Tool, string Package)> tools)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] missing = [.. tools
            .Where(tool => !folders.Any(folder => File.Exists(Path.Combine(folder, tool.Tool))))
            .Select(tool => tool.Package)
            .Distinct()];
        return missing.Length == 0 ? null : $"system tests need the packages {string.Join(", ", missing)}: apt-get install {string.Join(' ', missing)}";
    }

    private static string? Examine()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "system tests need Linux network namespaces";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "system tests create network namespaces: run them as root";
        }

        return MissingPackages(Tools);
    }
}
