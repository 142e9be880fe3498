using System.Xml.Linq;

namespace EgressAppliance.Comparison.Reporting;

/// <summary>Horizontal bars, one group for each program, as SVG.</summary>
internal static class BarChart
{
    private const int Width = 900;
    private const int Left = 250;
    private const int Right = 70;
    private const int Top = 70;
    private const int Bottom = 50;
    private const int BarHeight = 14;
    private const int Gap = 10;

    /// <summary>Writes the chart.</summary>
    /// <param name="path">The SVG file.</param>
    /// <param name="title">Its title.</param>
    /// <param name="unit">Label of the axis.</param>
    /// <param name="groups">Names of the groups, from the top.</param>
    /// <param name="series">Each with a value for every group.</param>
    public static void Write(string path, string title, string unit, IReadOnlyList<string> groups, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> series)
    {
        int groupHeight = (series.Count * BarHeight) + Gap;
        int bottom = Top + (groups.Count * groupHeight);
        double step = Svg.TickStep(series.SelectMany(s => s.Values).Max());
        double most = Math.Ceiling(series.SelectMany(s => s.Values).Max() / step) * step;
        double scale = (Width - Left - Right) / most;
        XElement svg = Svg.Picture(Width, bottom + Bottom, title);
        for (int i = 0; i <= (int)Math.Round(most / step); i++)
        {
            double x = Left + (i * step * scale);
            svg.Add(Svg.Rectangle(x, Top, 1, bottom - Top, "#dddddd"), Svg.Text(x, bottom + 16, Svg.Number(i * step), "middle"));
        }

        svg.Add(Svg.Text(Left + ((Width - Left - Right) / 2), bottom + 36, unit, "middle"));
        for (int s = 0; s < series.Count; s++)
        {
            string color = Svg.Colors[s % Svg.Colors.Length];
            int legend = Left + (s * 100);
            svg.Add(Svg.Rectangle(legend, 42, 12, 12, color), Svg.Text(legend + 18, 52, series[s].Name, "start"));
            for (int g = 0; g < groups.Count; g++)
            {
                double value = series[s].Values[g];
                int y = Top + (g * groupHeight) + (Gap / 2) + (s * BarHeight);
                svg.Add(Svg.Rectangle(Left, y, value * scale, BarHeight - 2, color), Svg.Text(Left + (value * scale) + 4, y + 10, Svg.Number(value), "start", 11));
            }
        }

        for (int g = 0; g < groups.Count; g++)
        {
            svg.Add(Svg.Text(Left - 8, Top + (g * groupHeight) + (groupHeight / 2) + 4, groups[g], "end"));
        }

        File.WriteAllText(path, svg + "\n");
    }
}
