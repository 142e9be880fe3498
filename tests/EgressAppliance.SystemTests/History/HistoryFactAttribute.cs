using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.History;

/// <summary>A system test of the history on a real disk, or with a real PostgreSQL: needs root, for mounts and for another user's process.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class HistoryFactAttribute : SystemFactAttribute
{
    /// <summary>Decides when the test is discovered.</summary>
    public HistoryFactAttribute()
        : base(Missing())
    {
    }

    /// <summary>Why these tests cannot run here, or null.</summary>
    internal static string? Missing() => !Environment.IsPrivilegedProcess
        ? "tests of the history mount a small file system and start PostgreSQL as its user: run them as root"
        : PostgresServer.Folder is null ? "tests of the history need the package postgresql: apt-get install postgresql"
        : SystemRequirements.MissingPackages([("unshare", "util-linux"), ("setpriv", "util-linux"), ("psql", "postgresql-client")]);
}
