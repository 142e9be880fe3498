using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Cli;

/// <summary><c>show cluster</c>.</summary>
public static class ClusterViews
{
    /// <summary>Writes it.</summary>
    public static void Write(ClusterDto cluster, CommandConsole console)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(console);
        if (cluster.Role == "all")
        {
            console.Out.WriteLine("This box is alone: it captures, decides and announces.");
            return;
        }

        string leader = cluster.Leads ? ", leads" : cluster.Leader.Length > 0 ? $"; {cluster.Leader} leads" : cluster.Database is null ? "" : "; nobody leads";
        console.Out.WriteLine($"{cluster.Box} of {cluster.Site}: {cluster.Role}{leader}{(cluster.Token > 0 ? $" (leadership {cluster.Token})" : "")}");
        if (cluster.Broker is { } broker)
        {
            console.Out.WriteLine($"broker    {broker.ConnectedTo ?? "not connected"}{(broker.Problem is null ? "" : $": {broker.Problem}")}");
            console.Out.WriteLine(
                $"          {Human.Count(broker.Messages)} ticks, {Human.Count(broker.Bytes)}B; repeated {Human.Count(broker.Repeated)}, given up {Human.Count(broker.Dropped)}, waiting {Human.Count(broker.Waiting)}");
        }

        if (cluster.Database is { } database)
        {
            console.Out.WriteLine($"database  {database.Problem ?? "answers"}{(database.NotSaved is null ? "" : $"; state not saved: {database.NotSaved}")}");
            console.Out.WriteLine();
            TextTable controllers = new("CONTROLLER", "LEADS", "READY", ">SEEN");
            foreach (ControllerDto controller in cluster.Controllers)
            {
                controllers.Add(controller.Box, controller.Leads ? "yes" : "-", controller.Ready ? "yes" : controller.Problem, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{controller.SeenSecondsAgo:0} s ago"));
            }

            controllers.Write(console, "No controller has said anything yet.");
        }

        if (cluster.Collectors.Count > 0)
        {
            console.Out.WriteLine();
            TextTable collectors = new("COLLECTOR", "STATE", ">RATE", ">CELLS", ">LATE", ">LOST", ">GAPS", ">RESTARTS", ">LOSS", "PROBLEMS");
            foreach (CollectorDto c in cluster.Collectors)
            {
                collectors.Add(
                    c.Box, new Cell(c.State, c.State == "missing" ? CellStyle.Warning : CellStyle.Plain), Human.Rate(c.BitsPerSecond), Human.Count(c.Cells), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{c.LatenessSeconds:0.00} s"), Human.Count(c.Lost), Human.Count(c.Gaps), Human.Count(c.Restarts),
                    Human.Percent(c.LossRatio), c.Problems.Count == 0 ? "-" : string.Join("; ", c.Problems));
            }

            collectors.Write(console, "");
        }
    }
}
