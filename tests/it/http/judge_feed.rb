# Holds a feed against what RSS 2.0 and the tags of podcast apps demand, as Ruby's own reader knows it:
# `judge_feed.rb FEED`. Prints how many episodes it has, or what is wrong. What neither of the two knows, a
# feed may hold as it likes.

require "rss"

begin
  feed = RSS::Parser.parse(File.read(ARGV.fetch(0), encoding: "UTF-8"), validate: true, ignore_unknown_element: true)
  puts(feed.is_a?(RSS::Rss) ? "episodes: #{feed.items.size}" : "fault: no feed of RSS")
rescue RSS::Error => fault
  puts "fault: #{fault.message}"
end
