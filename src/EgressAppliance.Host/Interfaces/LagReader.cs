using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// The members of link aggregates and what they carry together. They are found by IEEE8023-LAG-MIB, on agents that do not have it by ifStackTable; read
/// with each poll, and looked for again each minute.
/// </summary>
/// <remarks>
/// ifHighSpeed of an aggregate is the sum of its members on most routers, on some of all that are configured, on some of what is up, on some of one. The sum over
/// the members that are attached and up is what can leave by it.
/// </remarks>
internal static class LagReader
{
    private const int MostRows = 20_000;
    private const int MostMembers = 64;
    private const int TypesPerRequest = 20;
    private const int ActiveRow = 1;
    private const int MembersPerRequest = 8;

    /// <summary>Finds the members of those of these interfaces that are aggregates. What the agent does not have is no error.</summary>
    /// <returns>The ifIndex of the members by that of the aggregate; or why the agent cannot be asked.</returns>
    public static async Task<(Dictionary<uint, uint[]> Members, string? Error)> FindAsync(SnmpClient client, IEnumerable<uint> interfaces, CancellationToken stop)
    {
        HashSet<uint> aggregates = [];
        foreach (uint[] group in interfaces.Chunk(TypesPerRequest))
        {
            SnmpResult types = await client.GetAsync([.. group.Select(index => IfMib.IfType.Append(index))], stop);
            if (SnmpAccess.IsGone(types))
            {
                return ([], types.Message);
            }

            aggregates.UnionWith(types.Bindings.Where(b => b.Value.TryGetInteger(out int type) && type == IfMib.LagType).Select(b => b.Name.Last));
        }

        if (aggregates.Count == 0)
        {
            return ([], null);
        }

        SnmpResult rows = await client.WalkAsync(IfMib.AttachedAggregate, MostRows, cancel: stop);
        IEnumerable<(uint Aggregate, uint Member)> pairs = rows.Bindings.Select(row => (row.Value.TryGetInteger(out int to) ? (uint)to : 0, row.Name.Last));
        if (!SnmpAccess.IsGone(rows) && rows.Bindings.Count == 0)
        {
            rows = await client.WalkAsync(IfMib.IfStackStatus, MostRows, cancel: stop);
            pairs = rows.Bindings
                .Where(row => row.Name.Length == IfMib.IfStackStatus.Length + 2 && row.Value.TryGetInteger(out int status) && status == ActiveRow)
                .Select(row => (row.Name[row.Name.Length - 2], row.Name.Last));
        }

        return SnmpAccess.IsGone(rows)
            ? ([], rows.Message)
            : (pairs.Where(p => aggregates.Contains(p.Aggregate) && p.Member != 0).GroupBy(p => p.Aggregate).ToDictionary(g => g.Key, g => g.Select(p => p.Member).Take(MostMembers).ToArray()), null);
    }

    /// <summary>Reads what the members of one aggregate carry.</summary>
    /// <returns>Mbit/s of the members that are up, and their number, null if the agent does not tell; or why the agent cannot be asked.</returns>
    public static async Task<((ulong Mbps, int Up)? Carried, string? Error)> ReadAsync(SnmpClient client, uint aggregate, uint[] members, CancellationToken stop)
    {
        ulong sum = 0;
        int up = 0;
        foreach (uint[] group in members.Chunk(MembersPerRequest))
        {
            SnmpResult result = await client.GetAsync(
                [.. group.SelectMany(index => new[] { IfMib.AttachedAggregate.Append(index), IfMib.IfOperStatus.Append(index), IfMib.IfHighSpeed.Append(index) })], stop);
            if (!result.IsOk)
            {
                return (null, SnmpAccess.IsGone(result) ? result.Message : null);
            }

            for (int i = 0; i < group.Length; i++)
            {
                // Attached to none or to another one by now; an agent that has no such table cannot say.
                bool here = !result.Bindings[3 * i].Value.TryGetInteger(out int to) || to == aggregate;
                if (here && result.Bindings[(3 * i) + 1].Value.TryGetInteger(out int status) && status == (int)OperStatus.Up
                    && result.Bindings[(3 * i) + 2].Value.TryGetUnsigned(out ulong mbps))
                {
                    sum += mbps;
                    up++;
                }
            }
        }

        return ((sum, up), null);
    }
}
